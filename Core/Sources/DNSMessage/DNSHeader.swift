internal import Wire

/// The first twelve bytes of a message (RFC 1035 §4.1.1).
@frozen
public struct DNSHeader: Hashable, Sendable {
    /// The number that pairs an answer with its query.
    public var id: UInt16
    /// The flags, operation and low four bits of the response code.
    public var flags: DNSFlags
    /// The number of questions.
    public var questionCount: UInt16 = 0
    /// The number of records in the answer section.
    public var answerCount: UInt16 = 0
    /// The number of records in the authority section.
    public var authorityCount: UInt16 = 0
    /// The number of records in the additional section.
    public var additionalCount: UInt16 = 0

    /// The size on the wire.
    public static let size = 12

    /// Makes a header with empty sections.
    @inlinable
    public init(id: UInt16, flags: DNSFlags) {
        self.id = id
        self.flags = flags
    }

    init(_ reader: inout ByteReader) throws(EndOfBytes) {
        id = try reader.read(UInt16.self)
        flags = DNSFlags(rawValue: try reader.read(UInt16.self))
        questionCount = try reader.read(UInt16.self)
        answerCount = try reader.read(UInt16.self)
        authorityCount = try reader.read(UInt16.self)
        additionalCount = try reader.read(UInt16.self)
    }
}

/// The second word of a header.
@frozen
public struct DNSFlags: OptionSet, Hashable, Sendable {
    /// The word as on the wire.
    public var rawValue: UInt16

    /// Makes flags from the word.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The message is a response (QR).
    public static let response = DNSFlags(rawValue: 1 << 15)
    /// The responder is an authority for the name (AA).
    public static let authoritative = DNSFlags(rawValue: 1 << 10)
    /// Records are missing for want of room (TC).
    public static let truncated = DNSFlags(rawValue: 1 << 9)
    /// The client asks for recursion (RD).
    public static let recursionDesired = DNSFlags(rawValue: 1 << 8)
    /// The server offers recursion (RA).
    public static let recursionAvailable = DNSFlags(rawValue: 1 << 7)
    /// The data has been verified (AD, RFC 4035).
    public static let authenticData = DNSFlags(rawValue: 1 << 5)
    /// The client does the verification (CD, RFC 4035).
    public static let checkingDisabled = DNSFlags(rawValue: 1 << 4)

    /// The kind of query; 0 is a standard query.
    public var operation: UInt16 { (rawValue >> 11) & 0xF }

    /// The low four bits of the response code.
    public var responseCode: UInt16 {
        get { rawValue & 0xF }
        set { rawValue = rawValue & ~0xF | newValue & 0xF }
    }
}
