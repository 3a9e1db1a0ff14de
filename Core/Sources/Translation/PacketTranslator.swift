/// Translates packets of both families, with sessions or without.
///
/// A value is used by one thread at a time; it makes no system call, has no clock and allocates nothing for a packet.
public protocol PacketTranslator: ~Copyable, Sendable {
    /// What has become of the packets.
    var counters: TranslationCounters { get }
    /// Whether packets wait in the translator, so that `pending` may have something after any packet.
    var holdsPackets: Bool { get }

    /// How much the translator holds.
    var usage: TranslatorUsage { get }

    /// Shows every session, in no order.
    func forEachSession(_ body: (SessionRecord) -> Void)

    /// Shows every client that holds a public port, in no order.
    func forEachClient(_ body: (ClientRecord) -> Void)

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

    /// Whether time has brought more than `pending` does at once: it is to be called again, when others have had their turn.
    func isBehind(at now: Timestamp) -> Bool

    /// Does what time has brought, and makes the next packet that is due without one having come.
    @_lifetime(buffer: copy buffer)
    mutating func pending(_ buffer: inout MutableRawSpan, at now: Timestamp) -> Outcome?
}

/// How much a translator holds.
@frozen
public struct TranslatorUsage: Hashable, Sendable {
    /// The sessions.
    public var sessions = 0
    /// The public ports that clients hold.
    public var ports = 0
    /// The clients that hold any.
    public var clients = 0
    /// The sessions that there may be at once.
    public var maximumSessions = 0

    /// Makes the usage of a translator that holds nothing.
    public init() {}

    /// Adds that of another translator.
    public mutating func add(_ other: TranslatorUsage) {
        sessions += other.sessions
        ports += other.ports
        clients += other.clients
        maximumSessions += other.maximumSessions
    }
}

extension NAT64: PacketTranslator {
    /// How much the translator holds; there is room for no session where the memory for the tables could not be had.
    public var usage: TranslatorUsage {
        var usage = TranslatorUsage()
        usage.sessions = sessionCount
        usage.ports = mappingCount
        usage.clients = clientCount
        usage.maximumSessions = hasMemory ? configuration.maximumSessions : 0
        return usage
    }

    /// Whether there are sessions that may have ended and have not been looked at.
    public func isBehind(at now: Timestamp) -> Bool { table.isBehind(at: NAT64.second(now)) }

    /// Whether fragments or TCP SYNs wait.
    public var holdsPackets: Bool { fragments.isHolding || heldSYNs.waiting > 0 }
}

extension StatelessTranslator: PacketTranslator {
    /// Nothing waits where there are no sessions.
    public var holdsPackets: Bool { false }

    /// Time brings nothing.
    public func isBehind(at now: Timestamp) -> Bool { false }

    /// Nothing is held.
    public var usage: TranslatorUsage { TranslatorUsage() }

    /// There is none.
    public func forEachSession(_ body: (SessionRecord) -> Void) {}

    /// There is none.
    public func forEachClient(_ body: (ClientRecord) -> Void) {}

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
