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

    init(_ parts: IPv4Parts) {
        source = UInt128(parts.header.source.rawValue)
        destination = UInt128(parts.header.destination.rawValue)
        identification = UInt32(parts.header.identification)
        kind = 0x400 | UInt16(parts.header.protocol.rawValue)
    }

    init?(_ parts: IPv6Parts) {
        guard let fragment = parts.fragmentHeader else { return nil }
        source = parts.header.source.rawValue
        destination = parts.header.destination.rawValue
        identification = fragment.identification
        kind = 0x600 | UInt16(parts.protocol.rawValue)
    }
}

/// Remembers for a short time where the first fragments of datagrams went, and keeps later ones that came before theirs.
///
/// Both are bounded, so that a flood of fragments takes no more than its share of memory and time.
struct FragmentTable: ~Copyable {
    struct Flow: BitwiseCopyable {
        let key: FragmentKey
        let source: UInt128
        let destination: UInt128
        let expires: UInt64
    }

    struct Held: BitwiseCopyable {
        let key: FragmentKey
        let length: Int
        let expires: UInt64
        var isUsed: Bool
    }

    /// A fragment that waits no longer.
    enum Release {
        /// Its datagram's first fragment has come, and it stands in the buffer.
        case ready(Range<Int>)
        case expired
    }

    /// The flows of one hash that there is room for.
    private static let ways = 4
    private static let sets = 512
    /// The bytes of a fragment that may be kept.
    static let longest = 2048

    private let hash: KeyedHash
    private let lifetime: UInt64
    private var flows: ZeroedMemory<Flow>
    private var held: ZeroedMemory<Held>
    private var bytes: ZeroedMemory<UInt8>
    private var waiting = 0

    init(held capacity: Int, lifetime: UInt64, secret: UInt64) {
        hash = KeyedHash(key: ~secret)
        self.lifetime = lifetime
        flows = ZeroedMemory(count: FragmentTable.sets * FragmentTable.ways)
        held = ZeroedMemory(count: capacity)
        bytes = ZeroedMemory(count: capacity * FragmentTable.longest)
    }

    private func set(_ key: FragmentKey) -> Int {
        let number = hash(key.source, hash(key.destination, UInt64(key.identification) << 16 | UInt64(key.kind)))
        return Int(number >> 32) % FragmentTable.sets * FragmentTable.ways
    }

    /// The addresses that the first fragment of a datagram got.
    func flow(_ key: FragmentKey, at now: Timestamp) -> (source: UInt128, destination: UInt128)? {
        let first = set(key)
        for way in first..<(first + FragmentTable.ways) {
            let flow = flows[way]
            if flow.expires > now.milliseconds, flow.key == key { return (flow.source, flow.destination) }
        }
        return nil
    }

    /// Remembers the addresses that a first fragment got, in place of the oldest of its hash.
    mutating func remember(_ key: FragmentKey, source: UInt128, destination: UInt128, at now: Timestamp) {
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

    /// Keeps a fragment until its datagram's first one comes.
    mutating func hold(
        _ buffer: borrowing MutableRawSpan, _ packet: Range<Int>, _ key: FragmentKey, at now: Timestamp
    ) throws(DropReason) {
        guard packet.count <= FragmentTable.longest, waiting < held.count else { throw .fragmentLimit }
        var place = 0
        while held[place].isUsed { place += 1 }
        held[place] = Held(key: key, length: packet.count, expires: now.milliseconds + lifetime, isUsed: true)
        let first = place * FragmentTable.longest
        for index in 0..<packet.count { bytes[first + index] = buffer.load(UInt8.self, at: packet.lowerBound + index) }
        waiting += 1
    }

    /// Takes the next fragment that need not wait any longer, and copies it into the buffer.
    @_lifetime(buffer: copy buffer)
    mutating func release(into buffer: inout MutableRawSpan, at now: Timestamp) -> Release? {
        guard waiting > 0 else { return nil }
        for place in 0..<held.count where held[place].isUsed {
            let fragment = held[place]
            let isExpired = fragment.expires <= now.milliseconds
            guard isExpired || flow(fragment.key, at: now) != nil else { continue }
            held[place].isUsed = false
            waiting -= 1
            guard !isExpired else { return .expired }
            let start = TranslationOptions.headroom
            let first = place * FragmentTable.longest
            for index in 0..<fragment.length { buffer.store(bytes[first + index], at: start + index) }
            return .ready(start..<(start + fragment.length))
        }
        return nil
    }
}
