import Synchronization

/// Why a query got no answer, or a connection ended before its time.
public enum LossReason: Int, Sendable, CaseIterable {
    /// A datagram that is no query.
    case malformed
    /// A client that had its share while others waited.
    case share
    /// An answer that the socket did not take.
    case send
    /// A connection more than are open at once.
    case connections
    /// A connection more than one client may have.
    case clientConnections
    /// A connection that never brought a whole query.
    case silent
    /// A connection that broke, or brought what is no query.
    case broken
    /// A connection whose queries in wait were too many.
    case waiting
    /// A request for the metrics that broke.
    case metricsRequest
    /// What the kernel refused: to watch a connection, to copy a socket for the next process.
    case system
}

/// Counts what a server has lost, by one thread; any thread may read.
@safe
public final class ServingMetrics: Sendable {
    private nonisolated(unsafe) let counters: UnsafeMutablePointer<Atomic<UInt64>>

    /// Makes counters at zero.
    public init() {
        unsafe counters = .allocate(capacity: LossReason.allCases.count)
        for index in LossReason.allCases.indices { unsafe (counters + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe counters.deinitialize(count: LossReason.allCases.count)
        unsafe counters.deallocate()
    }

    func count(_ reason: LossReason) { unsafe counters[reason.rawValue].wrappingAdd(1, ordering: .relaxed) }

    /// How much has been lost for a reason.
    public func lost(_ reason: LossReason) -> UInt64 { unsafe counters[reason.rawValue].load(ordering: .relaxed) }
}
