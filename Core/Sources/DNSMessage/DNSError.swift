/// Bytes that are not a DNS message, or text that is not a name.
public struct DNSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public struct Code: Hashable, Sendable {
        fileprivate enum Kind: String, Hashable {
            case truncated = "the message ends too early"
            case badName = "a name is malformed"
            case badPointer = "a compression pointer does not point backwards"
            case badData = "the data of a record does not fit its type"
            case badOption = "the EDNS record is malformed"
        }

        fileprivate let kind: Kind

        /// The bytes end inside a value.
        public static let truncated = Code(kind: .truncated)
        /// A label is too long or of an unknown type, or a name has more than 255 bytes.
        public static let badName = Code(kind: .badName)
        /// A compression pointer leads forward, to itself, or outside.
        public static let badPointer = Code(kind: .badPointer)
        /// The length of a record's data does not fit the type of the record.
        public static let badData = Code(kind: .badData)
        /// An OPT record is repeated or not owned by the root.
        public static let badOption = Code(kind: .badOption)
    }

    /// What is wrong.
    public let code: Code
    /// The position in the message.
    public let offset: Int

    init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// What is wrong, and where.
    public var description: String { "malformed DNS message at byte \(offset): \(code.kind.rawValue)" }
}
