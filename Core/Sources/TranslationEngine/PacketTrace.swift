import Synchronization
public import Translation

/// What became of a traced packet.
public struct TraceRecord: Sendable {
    /// When it came.
    public let time: Timestamp
    /// The packet as it came.
    public let packet: PacketSummary
    /// What was done.
    public let action: Action
    /// The first packet that was sent for it.
    public let sent: PacketSummary?

    /// What can be done with a packet.
    public enum Action: Hashable, Sendable {
        /// It was translated.
        case forwarded
        /// It was translated and cut.
        case fragmented
        /// It waits for another one.
        case held
        /// It was dropped, and its sender told.
        case answered(DropReason)
        /// It was dropped.
        case dropped(DropReason)
    }
}

/// The latest packets, kept while someone looks at them.
final class PacketTrace: Sendable {
    /// The records that are kept for a reader that is slower than the packets; older ones are lost.
    static let capacity = 4096

    private struct State {
        var records: [TraceRecord] = []
        var lost = 0
        var readers = 0
    }

    private let state = Mutex(State())
    private let on = Atomic<Bool>(false)

    /// Whether anyone looks.
    var isOn: Bool { on.load(ordering: .relaxed) }

    func add(_ record: TraceRecord) {
        state.withLock { state in
            guard state.readers > 0 else { return }
            guard state.records.count < PacketTrace.capacity else { return state.lost += 1 }
            state.records.append(record)
        }
    }

    /// Begins to keep records; false if another reader has begun already.
    func begin() -> Bool {
        state.withLock { state in
            guard state.readers == 0 else { return false }
            state = State(readers: 1)
            on.store(true, ordering: .relaxed)
            return true
        }
    }

    /// Takes the records that have come, and how many could not be kept.
    func take() -> (records: [TraceRecord], lost: Int) {
        state.withLock { state in
            defer { (state.records, state.lost) = ([], 0) }
            return (state.records, state.lost)
        }
    }

    func end() {
        on.store(false, ordering: .relaxed)
        state.withLock { $0 = State() }
    }
}
