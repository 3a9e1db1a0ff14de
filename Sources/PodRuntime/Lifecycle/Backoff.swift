package import KubernetesAPI

/// A delay that doubles with each failure.
package struct Backoff: Sendable, Hashable {
    /// Delay after the first failure, in seconds.
    package let initial: Int
    /// Longest delay, in seconds.
    package let maximum: Int
    /// Delay that the last failure brought, in seconds; 0 before any.
    package private(set) var delay = 0

    /// Creates a back-off that has seen no failure.
    package init(initial: Int, maximum: Int) {
        self.initial = initial
        self.maximum = maximum
    }

    /// Counts a failure and returns the delay it brings, in seconds.
    package mutating func next() -> Int {
        delay = delay == 0 ? initial : min(maximum, delay * 2)
        return delay
    }

    /// Forgets all failures.
    package mutating func reset() {
        delay = 0
    }
}

/// When the next instance of a container that ended may start.
///
/// The first restart comes at once; from the second on the delay is 10 s, doubling up to 300 s, until an instance has
/// run for 600 s.
package struct RestartSchedule: Sendable, Hashable {
    private var backoff = Backoff(initial: 10, maximum: 300)
    private var hasRestarted = false
    /// Instance whose end was counted last.
    package private(set) var instance: String?
    /// Earliest time of the next start.
    package private(set) var notBefore: Timestamp?
    /// Delay before the next start, in seconds.
    package private(set) var delay = 0

    /// Creates the schedule of a container that has not ended yet.
    package init() {}

    /// Counts the end of an instance once.
    package mutating func ended(_ container: RuntimeContainer, at now: Timestamp) {
        guard container.id != instance else { return }
        instance = container.id
        let end = container.finishedAt ?? now
        if let start = container.startedAt, end.seconds(since: start) >= 600 {
            backoff.reset()
            hasRestarted = false
        }
        delay = hasRestarted ? backoff.next() : 0
        hasRestarted = true
        notBefore = end.advanced(bySeconds: Int64(delay))
    }
}
