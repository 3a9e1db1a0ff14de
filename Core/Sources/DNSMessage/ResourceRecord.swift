public import Addresses

/// The data of a record, by type.
public enum DNSRecordData: Hashable, Sendable {
    /// An IPv4 address (A).
    case a(IPv4Address)
    /// An IPv6 address (AAAA).
    case aaaa(IPv6Address)
    /// The canonical name (CNAME).
    case cname(DNSName)
    /// A name server (NS).
    case ns(DNSName)
    /// A pointer (PTR).
    case ptr(DNSName)
    /// The start of authority (SOA).
    case soa(StartOfAuthority)
    /// The location of a service (SRV): lower priorities first, weights among equals.
    case srv(priority: UInt16, weight: UInt16, port: UInt16, target: DNSName)
    /// Strings of at most 255 bytes each (TXT).
    case txt([[UInt8]])
    /// Any other type, as on the wire.
    case other(DNSRecordType, [UInt8])

    /// The address record of an address: A or AAAA.
    public init(_ address: IPAddress) {
        switch address {
        case .v4(let address): self = .a(address)
        case .v6(let address): self = .aaaa(address)
        }
    }

    /// The type of the record.
    public var type: DNSRecordType {
        switch self {
        case .a: .a
        case .aaaa: .aaaa
        case .cname: .cname
        case .ns: .ns
        case .ptr: .ptr
        case .soa: .soa
        case .srv: .srv
        case .txt: .txt
        case .other(let type, _): type
        }
    }
}

/// The data of an SOA record (RFC 1035 §3.3.13); times are in seconds.
public struct StartOfAuthority: Hashable, Sendable {
    /// The primary name server.
    public var primary: DNSName
    /// The mailbox of the responsible person, as a name.
    public var mailbox: DNSName
    /// The version of the zone.
    public var serial: UInt32
    /// How often a secondary asks.
    public var refresh: UInt32
    /// How soon a secondary asks again after a failure.
    public var retry: UInt32
    /// When a secondary gives up.
    public var expire: UInt32
    /// How long negative answers may be kept (RFC 2308).
    public var minimum: UInt32

    /// Makes the data.
    public init(
        primary: DNSName, mailbox: DNSName, serial: UInt32, refresh: UInt32, retry: UInt32, expire: UInt32,
        minimum: UInt32
    ) {
        self.primary = primary
        self.mailbox = mailbox
        self.serial = serial
        self.refresh = refresh
        self.retry = retry
        self.expire = expire
        self.minimum = minimum
    }
}

/// One record: a name and something that is known about it (RFC 1035 §4.1.3).
public struct ResourceRecord: Hashable, Sendable {
    /// The owner.
    public var name: DNSName
    /// The class.
    public var dnsClass: DNSClass
    /// How long the record may be kept, in seconds.
    public var ttl: UInt32
    /// The data.
    public var data: DNSRecordData

    /// Makes a record.
    public init(name: DNSName, dnsClass: DNSClass = .internet, ttl: UInt32, data: DNSRecordData) {
        self.name = name
        self.dnsClass = dnsClass
        self.ttl = ttl
        self.data = data
    }
}
