/// Decides when a reflector lists, watches and waits; performs nothing itself.
///
/// A list is read in pages and then followed by a watch from its version; a watch that ends is resumed from the last
/// version seen; a version that the server no longer has leads back to a list.
package struct ReflectorStateMachine {
    /// What the shell shall do next.
    package enum Action: Equatable {
        /// Read the page of a list; nil begins a new list.
        case list(continue: String?)
        /// Watch from a version.
        case watch(from: String)
        /// Wait this many milliseconds, then call `waited`.
        case wait(milliseconds: Int)
    }

    /// Why a list or watch failed.
    package enum Failure: Equatable {
        /// The server no longer has the version or the continuation (410).
        case expired
        /// No connection came about: the server may come back at any moment.
        case unreachable
        /// The server answered with an error, or the stream broke.
        case refused
    }

    /// Shortest and longest wait in milliseconds.
    static let minimumWait = 100
    static let maximumWait = 10_000
    /// Longest wait while the server is away: attempts that fail at once cost nothing.
    static let maximumWaitUnreachable = 1_000

    /// Version from which a watch goes on, nil before the first list and after it has expired.
    package private(set) var version: String?
    private var failures = 0
    private var sawProgress = false

    /// Creates a machine that has seen nothing.
    package init() {}

    /// The first action.
    package func start() -> Action {
        .list(continue: nil)
    }

    /// A page has been read; `next` is its continuation.
    package mutating func listed(version: String, next: String?) -> Action {
        if let next, !next.isEmpty {
            return .list(continue: next)
        }
        self.version = version
        sawProgress = false
        return .watch(from: version)
    }

    /// An event of a watch carried a version, bookmarks included.
    package mutating func received(version: String?) {
        sawProgress = true
        failures = 0
        if let version, !version.isEmpty {
            self.version = version
        }
    }

    /// A watch has ended in order, after it lasted the given number of milliseconds.
    package mutating func watchEnded(afterMilliseconds lasted: Int, jitter: Double) -> Action {
        if sawProgress || lasted >= Self.maximumWait {
            failures = 0
            sawProgress = false
            return resume()
        }
        return wait(limit: Self.maximumWait, jitter: jitter)
    }

    /// A list or a watch has failed; `jitter` is between 0 and 1.
    package mutating func failed(_ failure: Failure, jitter: Double) -> Action {
        let hadProgress = sawProgress
        sawProgress = false
        switch failure {
        case .expired:
            let isRepeated = version == nil && !hadProgress
            version = nil
            return isRepeated ? wait(limit: Self.maximumWait, jitter: jitter) : .list(continue: nil)
        case .unreachable:
            return wait(limit: Self.maximumWaitUnreachable, jitter: jitter)
        case .refused:
            return wait(limit: Self.maximumWait, jitter: jitter)
        }
    }

    /// The wait is over.
    package func waited() -> Action {
        resume()
    }

    private func resume() -> Action {
        version.map { .watch(from: $0) } ?? .list(continue: nil)
    }

    private mutating func wait(limit: Int, jitter: Double) -> Action {
        let milliseconds = Backoff.milliseconds(
            attempt: failures, minimum: Self.minimumWait, maximum: limit, jitter: jitter)
        failures += 1
        return .wait(milliseconds: milliseconds)
    }
}

/// Waits that double with each failure.
package enum Backoff {
    /// Between half of and all of `minimum` × 2^`attempt`, at most `maximum`; `jitter` is between 0 and 1.
    package static func milliseconds(attempt: Int, minimum: Int, maximum: Int, jitter: Double) -> Int {
        let full = min(maximum, minimum << min(max(attempt, 0), 20))
        return full / 2 + Int(Double(full - full / 2) * jitter)
    }
}
