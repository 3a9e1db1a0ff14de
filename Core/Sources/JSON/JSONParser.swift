/// A recursive-descent parser over a span of bytes.
struct JSONParser: ~Escapable {
    let bytes: Span<UInt8>
    var position = 0
    var depth = 0
    /// Paths of repeated members, relative to the value being read; each enclosing level prefixes its own step.
    var duplicates: [String] = []

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    mutating func parseDocument() throws(JSONError) -> JSONValue {
        let value = try parseValue()
        skipSpace()
        guard position == bytes.count else { throw error("unexpected content after the value") }
        return value
    }

    mutating func parseValue() throws(JSONError) -> JSONValue {
        skipSpace()
        guard let byte = peek() else { throw error("the text ends where a value is expected") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try parseObject())
        case UInt8(ascii: "["): return .array(try parseArray())
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"):
            try expect("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try expect("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try expect("null")
            return .null
        default: return try parseNumber()
        }
    }

    private mutating func parseObject() throws(JSONError) -> JSONObject {
        try descend()
        var object = JSONObject()
        skipSpace()
        if take(UInt8(ascii: "}")) {
            depth -= 1
            return object
        }
        repeat {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
            let key = try parseString()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("expected ':' after the key \"\(key)\"") }
            let known = duplicates.count
            let value = try parseValue()
            for index in known..<duplicates.count {
                duplicates[index] =
                    duplicates[index].first == "[" ? key + duplicates[index] : "\(key).\(duplicates[index])"
            }
            let count = object.count
            object[key] = value
            if object.count == count { duplicates.append(key) }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("expected ',' or '}' in an object") }
        depth -= 1
        return object
    }

    private mutating func parseArray() throws(JSONError) -> [JSONValue] {
        try descend()
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) {
            depth -= 1
            return elements
        }
        repeat {
            let known = duplicates.count
            elements.append(try parseValue())
            for index in known..<duplicates.count {
                let separator = duplicates[index].first == "[" ? "" : "."
                duplicates[index] = "[\(elements.count - 1)]\(separator)\(duplicates[index])"
            }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "]")) else { throw error("expected ',' or ']' in an array") }
        depth -= 1
        return elements
    }

    private mutating func descend() throws(JSONError) {
        guard depth < JSONReader.maximumDepth else {
            throw error("nested deeper than \(JSONReader.maximumDepth) levels")
        }
        depth += 1
        position += 1
    }

    private mutating func expect(_ literal: StaticString) throws(JSONError) {
        let word = literal.description.utf8.span
        for index in word.indices {
            guard position + index < bytes.count, bytes[position + index] == word[index] else {
                throw error("expected \(literal)")
            }
        }
        position += word.count
    }

    mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    func peek() -> UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    func error(_ message: String) -> JSONError { JSONError(message: message, offset: position) }
}
