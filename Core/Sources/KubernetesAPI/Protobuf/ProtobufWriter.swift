/// Writes the fields of one protobuf message.
public struct ProtobufWriter {
    /// What has been written.
    public private(set) var bytes: [UInt8] = []

    /// Makes an empty message.
    public init() {}

    /// A field of text, empty or not.
    public mutating func text(_ field: Int, _ value: String) {
        self.bytes(field, value.utf8)
    }

    /// A field of text; no text and empty text are the default and left out.
    public mutating func string(_ field: Int, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        text(field, value)
    }

    /// A field of bytes or of an encoded message.
    public mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
        variableInteger(UInt64(field) << 3 | 2)
        variableInteger(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// A field that is an integer, a Boolean or an enumeration; negative values take ten bytes.
    public mutating func integer(_ field: Int, _ value: Int64) {
        variableInteger(UInt64(field) << 3)
        variableInteger(UInt64(bitPattern: value))
    }

    /// A field that is a message.
    public mutating func message(_ field: Int, _ body: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        body(&inner)
        bytes(field, inner.bytes)
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
