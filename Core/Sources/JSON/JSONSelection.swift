/// Which members of a JSON text to read; the others are skipped without being built.
public struct JSONSelection: Sendable {
    /// The members to read; nil means the whole value.
    var members: [String: JSONSelection]?

    /// Selects what the paths of keys lead to.
    public init(paths: [[String]]) {
        members = [:]
        for path in paths { add(path[...]) }
    }

    private mutating func add(_ path: ArraySlice<String>) {
        guard let key = path.first else {
            members = nil
            return
        }
        guard members != nil else { return }
        members?[key, default: JSONSelection(paths: [])].add(path.dropFirst())
    }
}

extension JSONValue {
    /// Reads the selected members of one value; what is skipped is looked at only as far as finding its end takes.
    ///
    /// Members that the text does not have, or has in something that is no object, are missing.
    public init(parsing bytes: [UInt8], only selection: JSONSelection) throws(JSONError) {
        var parser = JSONParser(bytes.span)
        self = try parser.parse(only: selection)
    }
}

extension JSONParser {
    mutating func parse(only selection: JSONSelection) throws(JSONError) -> JSONValue {
        guard let members = selection.members else { return try parseValue() }
        skipSpace()
        guard peek() != nil else { throw error("the text ends where a value is expected") }
        guard take(UInt8(ascii: "{")) else {
            try skipValue()
            return .null
        }
        var object = JSONObject()
        skipSpace()
        if take(UInt8(ascii: "}")) { return .object(object) }
        repeat {
            skipSpace()
            guard peek() == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
            let key = try parseString()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("expected ':' after the key \"\(key)\"") }
            if let member = members[key] {
                object[key] = try parse(only: member)
            } else {
                try skipValue()
            }
            skipSpace()
        } while take(UInt8(ascii: ","))
        guard take(UInt8(ascii: "}")) else { throw error("expected ',' or '}' in an object") }
        return .object(object)
    }

    /// Moves behind the value that begins here.
    private mutating func skipValue() throws(JSONError) {
        skipSpace()
        var open = 0
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["): open += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // The end of the object that a scalar is the last member of.
                guard open > 0 else { return }
                open -= 1
                if open == 0 {
                    position += 1
                    return
                }
            case UInt8(ascii: "\""):
                try skipString()
                if open == 0 { return }
                continue
            case UInt8(ascii: ",") where open == 0: return
            default: break
            }
            position += 1
        }
        guard open == 0 else { throw error("the text ends within a value") }
    }
}
