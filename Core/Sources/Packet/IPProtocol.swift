/// The number of what an IP header carries: a transport, or an IPv6 extension header (the IANA registry of protocol
/// numbers).
@frozen
public struct IPProtocol: RawRepresentable, Hashable, Sendable {
    /// The number.
    public let rawValue: UInt8

    /// Makes a protocol of a number.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The IPv6 hop-by-hop options header.
    @inlinable public static var hopByHop: IPProtocol { IPProtocol(rawValue: 0) }
    /// ICMP for IPv4.
    @inlinable public static var icmpv4: IPProtocol { IPProtocol(rawValue: 1) }
    /// IGMP.
    @inlinable public static var igmp: IPProtocol { IPProtocol(rawValue: 2) }
    /// TCP.
    @inlinable public static var tcp: IPProtocol { IPProtocol(rawValue: 6) }
    /// UDP.
    @inlinable public static var udp: IPProtocol { IPProtocol(rawValue: 17) }
    /// DCCP.
    @inlinable public static var dccp: IPProtocol { IPProtocol(rawValue: 33) }
    /// The IPv6 routing header.
    @inlinable public static var routing: IPProtocol { IPProtocol(rawValue: 43) }
    /// The IPv6 fragment header.
    @inlinable public static var fragment: IPProtocol { IPProtocol(rawValue: 44) }
    /// The authentication header of IPsec.
    @inlinable public static var authentication: IPProtocol { IPProtocol(rawValue: 51) }
    /// ICMP for IPv6.
    @inlinable public static var icmpv6: IPProtocol { IPProtocol(rawValue: 58) }
    /// Nothing follows.
    @inlinable public static var noNextHeader: IPProtocol { IPProtocol(rawValue: 59) }
    /// The IPv6 destination options header.
    @inlinable public static var destinationOptions: IPProtocol { IPProtocol(rawValue: 60) }
    /// UDP-Lite.
    @inlinable public static var udpLite: IPProtocol { IPProtocol(rawValue: 136) }

    /// The bytes that a transport's header has at least; 0 for one that is not looked into.
    @inlinable
    public var minimumHeaderLength: Int {
        switch self {
        case .tcp: TCPHeader.minimumLength
        case .udp, .udpLite, .icmpv4, .icmpv6: 8
        case .dccp: 12
        default: 0
        }
    }

    /// Where a transport's checksum stands, if it covers the addresses of the IP header in both families.
    @inlinable
    public var checksumOffset: Int? {
        switch self {
        case .tcp: 16
        case .udp, .udpLite, .dccp: 6
        default: nil
        }
    }
}
