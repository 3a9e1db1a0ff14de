/// Reads JSON text (RFC 8259): UTF-8, one value, nothing after it.
///
/// Of members with equal keys the last counts; `duplicateKeys` names them.
public struct JSONReader: Sendable {
    /// How deep arrays and objects may nest before the text is refused.
    public static let maximumDepth = 512

    /// The paths of the members that the last text held more than once, as `spec.containers[0].image`.
    public private(set) var duplicateKeys: [String] = []

    /// Makes a reader.
    public init() {}

    /// Reads one value.
    public mutating func read(_ bytes: Span<UInt8>) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes)
        let value = try parser.parseDocument()
        duplicateKeys = parser.duplicates
        return value
    }

    /// Reads one value.
    public mutating func read(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        try read(bytes.span)
    }
}

extension JSONValue {
    /// Reads one value from UTF-8 bytes.
    public init(parsing bytes: Span<UInt8>) throws(JSONError) {
        var parser = JSONParser(bytes)
        self = try parser.parseDocument()
    }

    /// Reads one value from UTF-8 bytes.
    public init(parsing bytes: [UInt8]) throws(JSONError) {
        try self.init(parsing: bytes.span)
    }

    /// Reads one value from UTF-8 bytes, which are copied first.
    @inlinable
    public init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
        try self.init(parsing: Array(bytes))
    }

    /// Reads one value from text.
    public init(text: String) throws(JSONError) {
        try self.init(parsing: text.utf8.span)
    }
}
