public import Addresses

/// What a translator has done with the packets that it was given.
@frozen
public struct TranslationCounters: Sendable {
    var packets: InlineArray<2, UInt64> = .init(repeating: 0)
    var bytes: InlineArray<2, UInt64> = .init(repeating: 0)
    /// The ICMP errors that were produced.
    public internal(set) var replies: UInt64 = 0
    /// The ICMP errors that were not sent because there were too many.
    public internal(set) var suppressedReplies: UInt64 = 0
    var dropped: InlineArray<64, UInt64> = .init(repeating: 0)

    /// Makes counters at zero.
    public init() {}

    /// The packets dropped for a reason, those that were answered with an ICMP error included.
    public func drops(_ reason: DropReason) -> UInt64 { dropped[Int(reason.rawValue)] }

    /// The packets that left as packets of a family.
    public func packets(to family: IPFamily) -> UInt64 { packets[family == .ipv4 ? 0 : 1] }

    /// The bytes that left as packets of a family, IP headers included, counted before a packet is cut into fragments.
    public func bytes(to family: IPFamily) -> UInt64 { bytes[family == .ipv4 ? 0 : 1] }

    /// Adds what another translator has counted.
    public mutating func add(_ other: TranslationCounters) {
        for index in packets.indices {
            packets[index] &+= other.packets[index]
            bytes[index] &+= other.bytes[index]
        }
        for index in dropped.indices { dropped[index] &+= other.dropped[index] }
        replies &+= other.replies
        suppressedReplies &+= other.suppressedReplies
    }

    mutating func count(dropped reason: DropReason) { dropped[Int(reason.rawValue)] &+= 1 }

    mutating func count(forwarded count: Int, as family: IPFamily) {
        let index = family == .ipv4 ? 0 : 1
        packets[index] &+= 1
        bytes[index] &+= UInt64(count)
    }
}
