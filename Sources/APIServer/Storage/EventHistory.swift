/// The newest events of one resource, from which watches resume and past states are rebuilt.
struct EventHistory: Sendable {
    /// Limits: whichever is reached first.
    private static let maximumCount = 16_384
    private static let maximumBytes = 4 << 20

    private var events: [StoredEvent] = []
    private var start = 0
    private var bytes = 0
    /// Revision of the newest event that is no longer here: what happened after it is complete.
    private(set) var horizon: Int64

    init(horizon: Int64) {
        self.horizon = horizon
    }

    mutating func append(_ event: StoredEvent) {
        events.append(event)
        bytes += event.object.text.count
        while events.count - start > Self.maximumCount || (bytes > Self.maximumBytes && events.count - start > 1) {
            horizon = events[start].object.revision
            bytes -= events[start].object.text.count
            start += 1
        }
        // Dropped events are let go in bulk, so that appending stays O(1).
        if start > 1024, start * 2 > events.count {
            events.removeFirst(start)
            start = 0
        }
    }

    /// Declares what happened up to a revision incomplete.
    mutating func raiseHorizon(to revision: Int64) {
        horizon = max(horizon, revision)
    }

    /// The events after a revision; nil when some of them are no longer here.
    func events(after revision: Int64) -> ArraySlice<StoredEvent>? {
        guard revision >= horizon else { return nil }
        var (low, high) = (start, events.count)
        while low < high {
            let middle = (low + high) / 2
            if events[middle].object.revision <= revision {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return events[low...]
    }
}
