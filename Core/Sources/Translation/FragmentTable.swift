import Addresses
import Packet
import Wire

/// What the fragments of a datagram have in common, in either family.
struct FragmentKey: BitwiseCopyable, Hashable {
    let source: UInt128
    let destination: UInt128
    let identification: UInt32
    /// The transport, and the family.
    let kind: UInt16

    init(_ header: IPv4Header) {
        source = UInt128(header.source.rawValue)
        destination = UInt128(header.destination.rawValue)
        identification = UInt32(header.identification)
        kind = 0x400 | UInt16(header.protocol.rawValue)
    }

    init?(_ parts: IPv6Parts) {
        guard let fragment = parts.fragmentHeader else { return nil }
        source = parts.header.source.rawValue
        destination = parts.header.destination.rawValue
        identification = fragment.identification
        kind = 0x600 | UInt16(parts.protocol.rawValue)
    }

    /// Whether the datagram may be one without a checksum, which only UDP of IPv4 has.
    var mayLackChecksum: Bool { kind == 0x400 | UInt16(IPProtocol.udp.rawValue) }
}

/// Remembers for a short time where the first fragments of datagrams went, and keeps later ones that came before theirs; of a
/// UDP datagram without a checksum all, until one can be made (RFC 6146 §3.4).
///
/// Both are bounded, so that a flood of fragments takes no more than its share of memory and time.
struct FragmentTable: ~Copyable {
    struct Flow: BitwiseCopyable {
        let key: FragmentKey
        let source: UInt128
        let destination: UInt128
        let expires: UInt64
    }

    /// A fragment that waits no longer.
    enum Release {
        /// Its datagram's first fragment has come, or all others of it have; it stands in the buffer.
        case ready(Range<Int>)
        /// Its time is over.
        case expired
    }

    /// The flows of one hash that there is room for.
    private static let ways = 4
    private static let sets = 512

    private let hash: KeyedHash
    private let lifetime: UInt64
    private var flows: ZeroedMemory<Flow>
    private var held: HeldPackets<FragmentKey>

    init(held capacity: Int, longest: Int, lifetime: UInt64, secret: UInt64) {
        hash = KeyedHash(key: ~secret)
        self.lifetime = lifetime
        flows = ZeroedMemory(count: FragmentTable.sets * FragmentTable.ways)
        held = HeldPackets(capacity: capacity, longest: longest, lifetime: lifetime)
    }

    /// Whether any fragment waits.
    var isHolding: Bool { held.waiting > 0 }

    private func set(_ key: FragmentKey) -> Int {
        let number = hash(key.source, hash(key.destination, UInt64(key.identification) << 16 | UInt64(key.kind)))
        return Int(number >> 32) % FragmentTable.sets * FragmentTable.ways
    }

    /// The addresses that the first fragment of a datagram got.
    func flow(_ key: FragmentKey, at now: Timestamp) -> (source: UInt128, destination: UInt128)? {
        guard flows.count > 0 else { return nil }
        let first = set(key)
        for way in first..<(first + FragmentTable.ways) {
            let flow = flows[way]
            if flow.expires > now.milliseconds, flow.key == key { return (flow.source, flow.destination) }
        }
        return nil
    }

    /// Remembers the addresses that a first fragment got, in place of the oldest of its hash.
    mutating func remember(_ key: FragmentKey, source: UInt128, destination: UInt128, at now: Timestamp) {
        guard flows.count > 0 else { return }
        let first = set(key)
        var place = first
        for way in first..<(first + FragmentTable.ways) {
            if flows[way].key == key {
                place = way
                break
            }
            if flows[way].expires < flows[place].expires { place = way }
        }
        flows[place] = Flow(
            key: key, source: source, destination: destination, expires: now.milliseconds + lifetime)
    }

    /// Forgets where the first fragment of a datagram went.
    private mutating func forget(_ key: FragmentKey) {
        guard flows.count > 0 else { return }
        let first = set(key)
        for way in first..<(first + FragmentTable.ways) where flows[way].key == key {
            flows[way] = Flow(key: key, source: 0, destination: 0, expires: 0)
        }
    }

    /// Keeps a fragment until its datagram's first one comes, or the first one until all others have.
    mutating func hold(
        _ buffer: borrowing MutableRawSpan, _ packet: Range<Int>, _ key: FragmentKey, lacksChecksum: Bool = false,
        at now: Timestamp
    ) throws(DropReason) {
        guard held.hold(buffer, packet, key, need: lacksChecksum ? .completion : .another, at: now) else {
            throw .fragmentLimit
        }
        // The others are to wait with it, and not follow an earlier datagram of the same identification.
        if lacksChecksum { forget(key) }
        if key.mayLackChecksum { makeChecksum(key) }
    }

    /// Makes the checksum of a datagram whose first fragment waits for it, if all fragments wait here by now.
    private mutating func makeChecksum(_ key: FragmentKey) {
        var (first, end): (Int?, Int?) = (nil, nil)
        var count = 0
        forEachPart(of: key) { place, payload, position in
            if position.isFirst { first = place }
            if !position.hasMore { end = position.offset + payload.byteCount }
            count += payload.byteCount
        }
        guard let first, count == end else { return }
        var sum = InternetChecksum()
        forEachPart(of: key) { _, payload, _ in sum.add(payload) }
        let field = held.withPacket(at: first) { bytes -> Int? in
            guard let view = IPv4Packet(bytes), Int(bytes.load(UInt16.self, at: view.headerLength + 4)) == count
            else { return nil }
            sum.add(view.header.pseudoHeader(transportLength: count))
            return view.headerLength + 6
        }
        if let field { held.complete(first, with: sum.nonzeroValue, at: field) }
    }

    /// Looks at the IPv4 fragments of a datagram that wait here, at each one once however often it has come.
    private func forEachPart(
        of key: FragmentKey, _ body: (_ place: Int, _ payload: RawSpan, _ position: FragmentPosition) -> Void
    ) {
        // A bit for each offset, which has 13 bits.
        var seen = InlineArray<128, UInt64>(repeating: 0)
        for place in 0..<held.capacity where held.key(at: place) == key {
            held.withPacket(at: place) { bytes in
                guard let view = IPv4Packet(bytes) else { return }
                let position = view.header.fragment
                let (word, bit) = (position.offset / 512, UInt64(1) << UInt64(position.offset / 8 % 64))
                guard seen[word] & bit == 0 else { return }
                seen[word] |= bit
                body(place, bytes.extracting(view.headerLength..<view.totalLength), position)
            }
        }
    }

    /// Takes the next fragment that need not wait any longer, and copies it into the buffer.
    @_lifetime(buffer: copy buffer)
    mutating func release(into buffer: inout MutableRawSpan, at now: Timestamp) -> Release? {
        guard held.waiting > 0 else { return nil }
        for place in 0..<held.capacity {
            guard let key = held.key(at: place) else { continue }
            if held.isExpired(place, at: now) {
                held.forget(place)
                return .expired
            }
            let need = held.need(place)
            if need == .nothing || need == .another && flow(key, at: now) != nil {
                return .ready(held.take(place, into: &buffer))
            }
        }
        return nil
    }
}
