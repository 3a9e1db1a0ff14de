extension JSONValue {
    /// The compact UTF-8 text.
    public func serialized() -> [UInt8] {
        var writer = JSONWriter(isPretty: false, sortsKeys: false)
        writer.write(self)
        return writer.bytes
    }

    /// The text; pretty text is indented by two spaces, sorted keys are in the order of their code points.
    public func text(pretty: Bool = false, sortedKeys: Bool = false) -> String {
        var writer = JSONWriter(isPretty: pretty, sortsKeys: sortedKeys)
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

/// Appends values as text.
struct JSONWriter {
    let isPretty: Bool
    let sortsKeys: Bool
    private(set) var bytes: [UInt8] = []
    private var depth = 0

    init(isPretty: Bool, sortsKeys: Bool) {
        self.isPretty = isPretty
        self.sortsKeys = sortsKeys
    }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append(String(value))
        case .double(let value): append(value.isFinite ? value.description : "null")
        case .string(let value): write(value)
        case .array(let elements):
            open("[")
            for (index, element) in elements.enumerated() {
                separate(isFirst: index == 0)
                write(element)
            }
            close("]", isEmpty: elements.isEmpty)
        case .object(let object):
            open("{")
            var isFirst = true
            for (key, value) in sortsKeys ? object.sorted(by: { $0.key < $1.key }) : object.members {
                separate(isFirst: isFirst)
                isFirst = false
                write(key)
                append(isPretty ? ": " : ":")
                write(value)
            }
            close("}", isEmpty: object.isEmpty)
        }
    }

    private mutating func write(_ string: String) {
        bytes.append(UInt8(ascii: "\""))
        let content = string.utf8.span
        var needsEscape = false
        for index in content.indices where JSONWriter.needsEscape(content[index]) {
            needsEscape = true
            break
        }
        if needsEscape {
            for index in content.indices { appendEscaped(content[index]) }
        } else {
            bytes.append(contentsOf: string.utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        guard JSONWriter.needsEscape(byte) else {
            bytes.append(byte)
            return
        }
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x0A: append("\\n")
        case 0x0D: append("\\r")
        case 0x09: append("\\t")
        default: append(byte < 0x10 ? "\\u000" + String(byte, radix: 16) : "\\u00" + String(byte, radix: 16))
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func open(_ bracket: String) {
        append(bracket)
        depth += 1
    }

    private mutating func separate(isFirst: Bool) {
        if !isFirst { append(",") }
        if isPretty { breakLine() }
    }

    private mutating func close(_ bracket: String, isEmpty: Bool) {
        depth -= 1
        if isPretty, !isEmpty { breakLine() }
        append(bracket)
    }

    private mutating func breakLine() {
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }
}
