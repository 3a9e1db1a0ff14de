public import Addresses
import Packet
import Wire

/// How several translators, one for each thread, share public addresses: each has some of the clients, and some of the
/// ports of every address.
///
/// A client belongs to a translator by a hash of its address, so that its quota is kept in one place; a public port by its
/// number, so that the way back needs no table.
public struct PoolPartition: Sendable {
    /// Who a packet belongs to.
    @frozen
    public enum Owner: Hashable, Sendable {
        /// The translator of this number.
        case shard(Int)
        /// The translator that has got the datagram's first fragment.
        case laterFragment
    }

    /// The number of translators.
    public let shards: Int
    private let whole: NAT64Configuration
    private let hash: KeyedHash
    private let clientMask: UInt128
    private let forwards: [Place: Int]

    /// A public port.
    private struct Place: Hashable {
        let kind: SessionKind
        let address: UInt32
        let port: UInt16
    }

    /// Divides what a configuration says among so many translators.
    ///
    /// - Precondition: `shards` is at least 1, and not more than there are ports.
    public init(_ configuration: NAT64Configuration, shards: Int) {
        precondition(
            shards >= 1 && shards <= configuration.ports.count && shards <= configuration.identifiers.count,
            "every translator needs a port")
        self.shards = shards
        whole = configuration
        hash = KeyedHash(key: configuration.secret ^ 0x2545_F491_4F6C_DD1D)
        let bits = configuration.clientPrefixLength
        clientMask = bits >= 128 ? .max : ~(UInt128.max >> UInt128(max(bits, 0)))
        var forwards: [Place: Int] = [:]
        for forward in configuration.forwards {
            let place = Place(
                kind: forward.kind, address: forward.publicAddress.rawValue, port: forward.publicPort)
            forwards[place] = PoolPartition.shard(forward.client.rawValue, clientMask, hash, shards)
        }
        self.forwards = forwards
    }

    /// Makes one of the translators.
    public func translator(_ shard: Int) -> NAT64 {
        var part = whole
        part.ports = PoolPartition.slice(whole.ports, shard, of: shards)
        part.identifiers = PoolPartition.slice(whole.identifiers, shard, of: shards)
        part.sharesPool = shards > 1
        part.maximumSessions = (whole.maximumSessions + shards - 1) / shards
        part.maximumRestingPorts = (whole.maximumRestingPorts + shards - 1) / shards
        part.options.repliesPerSecond = (whole.options.repliesPerSecond + shards - 1) / shards
        part.secret = whole.secret &+ UInt64(shard) &* 0x9E37_79B9_7F4A_7C15
        part.forwards = whole.forwards.filter { self.shard(ofClient: $0.client) == shard }
        var translator = NAT64(part)
        for forward in whole.forwards where self.shard(ofClient: forward.client) != shard {
            translator.reserve(forward.kind, forward.publicAddress, forward.publicPort)
        }
        return translator
    }

    /// Makes the directory of the fragments that come to the translators.
    public func directory() -> FragmentDirectory {
        FragmentDirectory(
            maximumHeldFragments: whole.maximumHeldFragments, longest: whole.options.longestPacket,
            seconds: whole.timeouts.fragment, secret: whole.secret)
    }

    /// The translator of a client.
    public func shard(ofClient client: IPv6Address) -> Int {
        PoolPartition.shard(client.rawValue, clientMask, hash, shards)
    }

    private static func shard(_ address: UInt128, _ mask: UInt128, _ hash: KeyedHash, _ shards: Int) -> Int {
        shards == 1 ? 0 : Int(truncatingIfNeeded: hash(address & mask, 0) >> 33) % shards
    }

    /// The part of a range that a translator has.
    private static func slice(_ range: ClosedRange<UInt16>, _ shard: Int, of shards: Int) -> ClosedRange<UInt16> {
        let first = (range.count * shard + shards - 1) / shards
        let end = (range.count * (shard + 1) + shards - 1) / shards
        return (range.lowerBound + UInt16(first))...(range.lowerBound + UInt16(end - 1))
    }

    private func owner(_ kind: SessionKind, _ address: UInt32, _ port: UInt16) -> Owner {
        if !forwards.isEmpty, let shard = forwards[Place(kind: kind, address: address, port: port)] {
            return .shard(shard)
        }
        let range = kind == .icmp ? whole.identifiers : whole.ports
        // A port that nobody gives out is refused by any of them.
        guard range.contains(port) else { return .shard(0) }
        return .shard(Int(port - range.lowerBound) * shards / range.count)
    }

    /// The translator that a packet belongs to; one that is malformed is refused by any of them.
    public func owner(of packet: Range<Int>, in buffer: borrowing MutableRawSpan) -> Owner {
        guard shards > 1, packet.count >= IPv4Header.minimumLength else { return .shard(0) }
        return switch buffer.load(UInt8.self, at: packet.lowerBound) >> 4 {
        case 4: ipv4Owner(packet, buffer)
        case 6: .shard(ipv6Shard(packet, buffer))
        default: .shard(0)
        }
    }

    private func ipv6Shard(_ packet: Range<Int>, _ buffer: borrowing MutableRawSpan) -> Int {
        guard packet.count >= IPv6Header.length else { return 0 }
        let start = packet.lowerBound
        let sender = IPv6Address(rawValue: buffer.load(UInt128.self, at: start + 8))
        let next = IPProtocol(rawValue: buffer.load(UInt8.self, at: start + 6))
        guard next == .icmpv6 || next.isExtensionHeader,
            let chain = try? IPv6HeaderChain.follow(buffer.bytes.extracting(packet), from: next),
            chain.transport == .icmpv6, chain.transportOffset + 8 + IPv6Header.length <= packet.count,
            ICMPv6Type(rawValue: buffer.load(UInt8.self, at: start + chain.transportOffset)).isError
        else { return shard(ofClient: sender) }
        // An error may come from a router; it belongs to the client that the packet inside was sent to.
        let inner = start + chain.transportOffset + 8
        return shard(ofClient: IPv6Address(rawValue: buffer.load(UInt128.self, at: inner + 24)))
    }

    private func ipv4Owner(_ packet: Range<Int>, _ buffer: borrowing MutableRawSpan) -> Owner {
        let start = packet.lowerBound
        guard let header = IPv4Header(reading: buffer.bytes.extracting(packet)) else { return .shard(0) }
        guard header.fragment.isFirst else { return .laterFragment }
        let transport = start + Int(buffer.load(UInt8.self, at: start) & 0xF) * 4
        guard transport + 8 <= packet.upperBound else { return .shard(0) }
        let public4 = header.destination.rawValue
        switch header.protocol {
        case .tcp: return owner(.tcp, public4, buffer.load(UInt16.self, at: transport + 2))
        case .udp: return owner(.udp, public4, buffer.load(UInt16.self, at: transport + 2))
        case .icmpv4:
            guard ICMPv4Type(rawValue: buffer.load(UInt8.self, at: transport)).isError else {
                return owner(.icmp, public4, buffer.load(UInt16.self, at: transport + 4))
            }
            return innerOwner((transport + 8)..<packet.upperBound, buffer)
        default: return .shard(0)
        }
    }

    /// The translator of the packet inside an ICMP error, which a client has sent.
    private func innerOwner(_ quoted: Range<Int>, _ buffer: borrowing MutableRawSpan) -> Owner {
        guard let header = IPv4Header(reading: buffer.bytes.extracting(quoted)) else { return .shard(0) }
        let length = Int(buffer.load(UInt8.self, at: quoted.lowerBound) & 0xF) * 4
        let transport = quoted.lowerBound + length
        guard transport + 8 <= quoted.upperBound else { return .shard(0) }
        let public4 = header.source.rawValue
        return switch header.protocol {
        case .tcp: owner(.tcp, public4, buffer.load(UInt16.self, at: transport))
        case .udp: owner(.udp, public4, buffer.load(UInt16.self, at: transport))
        case .icmpv4: owner(.icmp, public4, buffer.load(UInt16.self, at: transport + 4))
        default: .shard(0)
        }
    }
}
