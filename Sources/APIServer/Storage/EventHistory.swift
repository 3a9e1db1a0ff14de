/// The newest events of one resource, from which watches are fed and past states are rebuilt.
struct EventHistory: Sendable {
    /// Limits: whichever is reached first.
    private static let maximumCount = 16_384
    private static let maximumBytes = 16 << 20

    private var events = ArrayQueue<StoredEvent>()
    private var bytes = 0
    /// Revision of the newest event that is no longer here: what happened after it is complete.
    private(set) var horizon: Int64

    init(horizon: Int64) {
        self.horizon = horizon
    }

    mutating func append(_ event: StoredEvent) {
        events.append(event)
        bytes += event.object.text.count
        while events.count > Self.maximumCount || (bytes > Self.maximumBytes && events.count > 1) {
            horizon = events[0].object.revision
            bytes -= events[0].object.text.count
            events.removeFirst()
        }
    }

    /// Declares what happened up to a revision incomplete.
    mutating func raiseHorizon(to revision: Int64) {
        horizon = max(horizon, revision)
    }

    /// The events after a revision, up to a number of bytes but at least one; nil when some of them are no longer here.
    func events(after revision: Int64, maximumBytes: Int = .max) -> (events: [StoredEvent], isComplete: Bool)? {
        guard revision >= horizon else { return nil }
        var (low, high) = (0, events.count)
        while low < high {
            let middle = (low + high) / 2
            if events[middle].object.revision <= revision {
                low = middle + 1
            } else {
                high = middle
            }
        }
        var result: [StoredEvent] = []
        var bytes = 0
        while low < events.count, bytes < maximumBytes {
            result.append(events[low])
            bytes += events[low].object.text.count
            low += 1
        }
        return (result, low == events.count)
    }
}
