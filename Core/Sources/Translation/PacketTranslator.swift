/// Translates packets of both families, with sessions or without.
///
/// A value is used by one thread at a time; it makes no system call, has no clock and allocates nothing for a packet.
public protocol PacketTranslator: ~Copyable, Sendable {
    /// What has become of the packets.
    var counters: TranslationCounters { get }
    /// Whether packets wait in the translator, so that `pending` may have something after any packet.
    var holdsPackets: Bool { get }

    /// Translates a packet of either family in place.
    @_lifetime(buffer: copy buffer)
    mutating func translate(
        _ buffer: inout MutableRawSpan, packet: Range<Int>, offload: PacketOffload, at now: Timestamp
    ) -> Outcome

    /// Translates an IPv4 packet that another translator has handed over.
    @_lifetime(buffer: copy buffer)
    mutating func accept(
        _ buffer: inout MutableRawSpan, packet: Range<Int>, offload: PacketOffload, at now: Timestamp
    ) -> Outcome

    /// Does what time has brought, and makes the next packet that is due without one having come.
    @_lifetime(buffer: copy buffer)
    mutating func pending(_ buffer: inout MutableRawSpan, at now: Timestamp) -> Outcome?
}

extension NAT64: PacketTranslator {
    /// Whether fragments or TCP SYNs wait.
    public var holdsPackets: Bool { fragments.isHolding || heldSYNs.waiting > 0 }
}

extension StatelessTranslator: PacketTranslator {
    /// Nothing waits where there are no sessions.
    public var holdsPackets: Bool { false }

    /// Translates a packet, as any other.
    @_lifetime(buffer: copy buffer)
    public mutating func accept(
        _ buffer: inout MutableRawSpan, packet: Range<Int>, offload: PacketOffload, at now: Timestamp
    ) -> Outcome {
        translate(&buffer, packet: packet, offload: offload, at: now)
    }

    /// Time brings nothing.
    @_lifetime(buffer: copy buffer)
    public mutating func pending(_ buffer: inout MutableRawSpan, at now: Timestamp) -> Outcome? { nil }
}
