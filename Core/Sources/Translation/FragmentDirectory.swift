import Packet
import Wire

/// Which of several translators has got the first fragment of an IPv4 datagram: later ones have no port to tell it by.
///
/// It is bounded like each translator's own table of fragments.
public struct FragmentDirectory: ~Copyable {
    private var table: FragmentTable
    /// The fragments that were dropped before they had a translator.
    public private(set) var counters = TranslationCounters()

    /// Makes a directory that keeps so many fragments, each of so many bytes and for so many seconds.
    public init(maximumHeldFragments: Int, longest: Int = 2048, seconds: UInt32, secret: UInt64) {
        table = FragmentTable(
            held: maximumHeldFragments, longest: longest, lifetime: UInt64(seconds) * 1000,
            secret: secret ^ 0x6A09_E667_F3BC_C909)
    }

    /// Whether any fragment waits.
    public var isHolding: Bool { table.isHolding }

    /// Whether a packet is the first fragment of an IPv4 datagram, which others follow.
    public static func isFirstFragment(_ packet: Range<Int>, in buffer: borrowing MutableRawSpan) -> Bool {
        packet.count >= IPv4Header.minimumLength && buffer.load(UInt8.self, at: packet.lowerBound) >> 4 == 4
            && buffer.load(UInt16.self, at: packet.lowerBound + 6) & 0x3FFF == 0x2000
    }

    /// Remembers who has got the first fragment of an IPv4 datagram.
    public mutating func note(
        _ packet: Range<Int>, in buffer: borrowing MutableRawSpan, shard: Int, at now: Timestamp
    ) {
        guard let header = IPv4Header(reading: buffer.bytes.extracting(packet)) else { return }
        table.remember(FragmentKey(header), source: UInt128(UInt(shard)), destination: 0, at: now)
    }

    /// The translator of a later fragment; nil if the fragment waits for the first one now.
    ///
    /// - Throws: why it can neither be told nor wait.
    public mutating func shard(
        of packet: Range<Int>, in buffer: borrowing MutableRawSpan, at now: Timestamp
    ) throws(DropReason) -> Int? {
        guard let header = IPv4Header(reading: buffer.bytes.extracting(packet)) else { throw .malformed }
        let key = FragmentKey(header)
        if let flow = table.flow(key, at: now) { return Int(truncatingIfNeeded: flow.source) }
        do throws(DropReason) {
            try table.hold(buffer, packet, key, at: now)
        } catch {
            counters.count(dropped: error)
            throw error
        }
        return nil
    }

    /// A fragment that waits no longer.
    public enum Release {
        /// It stands in the buffer, and belongs to the translator of a number.
        case ready(Range<Int>, shard: Int)
        /// Its datagram's first fragment has not come in time.
        case expired
    }

    /// Takes the next fragment that need not wait any longer, and copies it into the buffer behind the headroom.
    @_lifetime(buffer: copy buffer)
    public mutating func release(into buffer: inout MutableRawSpan, at now: Timestamp) -> Release? {
        switch table.release(into: &buffer, at: now) {
        case .none: return nil
        case .expired:
            counters.count(dropped: .fragmentTimeout)
            return .expired
        case .ready(let packet):
            guard let header = IPv4Header(reading: buffer.bytes.extracting(packet)),
                let flow = table.flow(FragmentKey(header), at: now)
            else { return .expired }
            return .ready(packet, shard: Int(truncatingIfNeeded: flow.source))
        }
    }
}
