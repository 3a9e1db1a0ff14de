import Addresses
import Packet
import Wire

/// A change of one port, or of the identifier of an ICMP query.
enum PortChange: Hashable, Sendable {
    case none
    case source(UInt16)
    case destination(UInt16)
}

/// The addresses, and the port, that a packet gets.
struct Rewrite<Address: SummedAddress>: Hashable, Sendable {
    var source: Address
    var destination: Address
    var port = PortChange.none
}

/// An address that a pseudo-header has in it.
protocol SummedAddress: Hashable, Sendable {
    associatedtype RawValue: FixedWidthInteger
    var rawValue: RawValue { get }
    static func add(_ rawValue: RawValue, to sum: inout InternetChecksum)
}

extension IPv4Address: SummedAddress {
    static func add(_ rawValue: UInt32, to sum: inout InternetChecksum) { sum.add(rawValue) }
}

extension IPv6Address: SummedAddress {
    static func add(_ rawValue: UInt128, to sum: inout InternetChecksum) { sum.add(rawValue) }
}

extension Rewrite {
    /// The sum of the addresses in the pseudo-header.
    var addressSum: InternetChecksum {
        var sum = InternetChecksum()
        Address.add(source.rawValue, to: &sum)
        Address.add(destination.rawValue, to: &sum)
        return sum
    }
}

extension MutableRawSpan {
    /// Changes a port of the transport header at `transport`, and adds the change to `delta`.
    @_lifetime(self: copy self)
    mutating func change(_ port: PortChange, transport: Int, delta: inout InternetChecksum) {
        let (new, offset): (UInt16, Int)
        switch port {
        case .none: return
        case .source(let port): (new, offset) = (port, transport)
        case .destination(let port): (new, offset) = (port, transport + 2)
        }
        delta.subtract(load(UInt16.self, at: offset))
        delta.add(new)
        store(new, at: offset)
    }

    /// Changes the ports and the checksum of a whole or first fragment's transport header.
    ///
    /// - Parameter addresses: the sum of the new addresses less that of the old ones.
    @_lifetime(self: copy self)
    mutating func rewriteTransport(
        _ transport: Int, _ kind: IPProtocol, addresses: InternetChecksum, port: PortChange, offload: PacketOffload
    ) {
        guard let offset = kind.checksumOffset else { return }
        let old = load(UInt16.self, at: transport + offset)
        if offload.hasPartialChecksum {
            // The field holds the pseudo-header's sum itself; the ports are summed later.
            var ignored = InternetChecksum()
            change(port, transport: transport, delta: &ignored)
            var sum = InternetChecksum()
            sum.add(old)
            sum.add(addresses)
            store(sum.folded, at: transport + offset)
            return
        }
        var sum = InternetChecksum(of: old)
        sum.add(addresses)
        change(port, transport: transport, delta: &sum)
        // Zero says in UDP that there is no checksum, and in UDP-Lite, which has to have one, that the packet is bad (RFC 3828
        // §3.1): neither gets one by a change of its sum.
        guard !kind.hasNonzeroChecksum || old != 0 else { return }
        store(kind.hasNonzeroChecksum ? sum.nonzeroValue : sum.value, at: transport + offset)
    }

    /// Makes the checksum of a transport whose field holds the pseudo-header's sum alone: a packet that is cut has no
    /// device behind it that could.
    @_lifetime(self: copy self)
    mutating func completeChecksum(_ transport: Range<Int>, _ kind: IPProtocol) {
        guard let offset = kind.checksumOffset else { return }
        var sum = InternetChecksum()
        sum.add(bytes.extracting(transport))
        store(kind.hasNonzeroChecksum ? sum.nonzeroValue : sum.value, at: transport.lowerBound + offset)
    }

    /// Changes the type, the code, the identifier and the checksum of an ICMP query.
    ///
    /// - Parameter pseudoHeader: what the pseudo-header of ICMPv6 adds to the sum, or takes away from it.
    @_lifetime(self: copy self)
    mutating func rewriteQuery(
        _ transport: Int, firstWord: UInt16, identifier: UInt16?, pseudoHeader: InternetChecksum
    ) {
        var sum = InternetChecksum(of: load(UInt16.self, at: transport + 2))
        sum.add(pseudoHeader)
        sum.subtract(load(UInt16.self, at: transport))
        sum.add(firstWord)
        store(firstWord, at: transport)
        if let identifier {
            sum.subtract(load(UInt16.self, at: transport + 4))
            sum.add(identifier)
            store(identifier, at: transport + 4)
        }
        store(sum.value, at: transport + 2)
    }
}

extension IPProtocol {
    /// Whether a checksum of zero is written as its other form, 0xFFFF.
    fileprivate var hasNonzeroChecksum: Bool { self == .udp || self == .udpLite }
}

extension PortChange {
    /// The identifier that an ICMP query gets.
    var identifier: UInt16? {
        switch self {
        case .none: nil
        case .source(let value), .destination(let value): value
        }
    }
}
