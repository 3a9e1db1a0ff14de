/// Writes messages of the protocol buffers encoding.
struct ProtobufWriter {
    /// The message so far.
    private(set) var bytes: [UInt8] = []

    /// A field of text; empty text is the default and left out.
    mutating func string(_ field: Int, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        length(field, value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }

    /// A repeated field of texts.
    mutating func strings(_ field: Int, _ values: [String]) {
        for value in values {
            length(field, value.utf8.count)
            bytes.append(contentsOf: value.utf8)
        }
    }

    /// A field that is true; false is the default and left out.
    mutating func flag(_ field: Int, _ value: Bool) {
        guard value else { return }
        variableInteger(UInt64(field) << 3)
        variableInteger(1)
    }

    /// A field that is a message.
    mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        body(&inner)
        length(field, inner.bytes.count)
        bytes.append(contentsOf: inner.bytes)
    }

    private mutating func length(_ field: Int, _ count: Int) {
        variableInteger(UInt64(field) << 3 | 2)
        variableInteger(UInt64(count))
    }

    private mutating func variableInteger(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: value) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }
}
