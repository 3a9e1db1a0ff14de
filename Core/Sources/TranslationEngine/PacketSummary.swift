public import Addresses
import Packet
import Wire

/// What a line of a trace says of a packet.
public struct PacketSummary: Sendable {
    /// Who sends it.
    public let source: IPAddress
    /// Who is to get it.
    public let destination: IPAddress
    /// The number of its transport protocol.
    public let transport: UInt8
    /// The ports of TCP and UDP, or type and code of ICMP; nil in later fragments and for other protocols.
    public let ports: (source: UInt16, destination: UInt16)?
    /// Its length, headers included.
    public let length: Int

    /// Looks at a packet; nil if it is none.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= IPv4Header.minimumLength else { return nil }
        length = bytes.byteCount
        let isFirst: Bool
        let offset: Int
        switch bytes.load(UInt8.self, at: 0) >> 4 {
        case 4:
            guard let header = IPv4Header(reading: bytes) else { return nil }
            (source, destination) = (.v4(header.source), .v4(header.destination))
            transport = header.protocol.rawValue
            isFirst = header.fragment.isFirst
            offset = Int(bytes.load(UInt8.self, at: 0) & 15) * 4
        case 6:
            guard let header = IPv6Header(reading: bytes),
                let chain = try? IPv6HeaderChain.follow(bytes, from: header.nextHeader)
            else { return nil }
            (source, destination) = (.v6(header.source), .v6(header.destination))
            transport = chain.transport.rawValue
            isFirst = chain.fragment?.position.isFirst ?? true
            offset = chain.transportOffset
        default: return nil
        }
        guard isFirst, offset + 4 <= bytes.byteCount else {
            ports = nil
            return
        }
        switch IPProtocol(rawValue: transport) {
        case .tcp, .udp:
            ports = (bytes.load(UInt16.self, at: offset), bytes.load(UInt16.self, at: offset + 2))
        case .icmpv4, .icmpv6:
            ports = (UInt16(bytes.load(UInt8.self, at: offset)), UInt16(bytes.load(UInt8.self, at: offset + 1)))
        default: ports = nil
        }
    }
}
