/// The type of a resource record (RFC 1035 §3.2.2 and later).
@frozen
public struct DNSRecordType: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt16

    /// Makes a type from its number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// An IPv4 address.
    public static let a = DNSRecordType(rawValue: 1)
    /// A name server.
    public static let ns = DNSRecordType(rawValue: 2)
    /// The canonical name of an alias.
    public static let cname = DNSRecordType(rawValue: 5)
    /// The start of a zone of authority.
    public static let soa = DNSRecordType(rawValue: 6)
    /// A pointer to another name.
    public static let ptr = DNSRecordType(rawValue: 12)
    /// Text strings.
    public static let txt = DNSRecordType(rawValue: 16)
    /// An IPv6 address (RFC 3596).
    public static let aaaa = DNSRecordType(rawValue: 28)
    /// The location of a service (RFC 2782).
    public static let srv = DNSRecordType(rawValue: 33)
    /// The EDNS pseudo-record (RFC 6891).
    public static let opt = DNSRecordType(rawValue: 41)
    /// A question for an incremental zone transfer.
    public static let ixfr = DNSRecordType(rawValue: 251)
    /// A question for a zone transfer.
    public static let axfr = DNSRecordType(rawValue: 252)
    /// A question for all types.
    public static let any = DNSRecordType(rawValue: 255)
}

/// The class of a question or record; in use is only the Internet.
@frozen
public struct DNSClass: RawRepresentable, Hashable, Sendable {
    /// The number on the wire.
    public let rawValue: UInt16

    /// Makes a class from its number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The Internet.
    public static let internet = DNSClass(rawValue: 1)
}

/// The result of a query (RFC 1035 §4.1.1); the upper bits of extended codes travel in the OPT record.
@frozen
public struct DNSResponseCode: RawRepresentable, Hashable, Sendable {
    /// The number on the wire, at most 4095.
    public let rawValue: UInt16

    /// Makes a code from its number.
    @inlinable
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// No error.
    public static let noError = DNSResponseCode(rawValue: 0)
    /// The query cannot be read.
    public static let formatError = DNSResponseCode(rawValue: 1)
    /// The server cannot answer at present.
    public static let serverFailure = DNSResponseCode(rawValue: 2)
    /// The name does not exist.
    public static let nameError = DNSResponseCode(rawValue: 3)
    /// The server does not know this kind of query.
    public static let notImplemented = DNSResponseCode(rawValue: 4)
    /// The server does not answer this query.
    public static let refused = DNSResponseCode(rawValue: 5)
    /// The EDNS version is not supported (RFC 6891 §9).
    public static let badVersion = DNSResponseCode(rawValue: 16)
}
