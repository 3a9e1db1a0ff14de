/// When a routing daemon is given its configuration, and when it is asked whether it still has it.
///
/// Daemons start later than the agent, restart without what they were told, and report success for what they
/// did not take, so nothing counts as told before a look has shown it.
package struct BGPSchedule {
    /// What there is to do.
    package enum Step: Hashable, Sendable {
        /// Nothing yet.
        case wait
        /// Hand over the configuration.
        case load
        /// Look whether the daemon has it.
        case check
    }

    private var isLoaded = false
    private var failures = 0
    private var due: ContinuousClock.Instant?

    private static let checkInterval = Duration.seconds(10)
    private static let longestPause = Duration.seconds(30)

    /// Nothing is wanted yet.
    package init() {}

    /// The wanted configuration is another one: it is handed over at once.
    package mutating func changed(at now: ContinuousClock.Instant) {
        isLoaded = false
        failures = 0
        due = now
    }

    /// What there is to do.
    package func step(at now: ContinuousClock.Instant) -> Step {
        guard let due, now >= due else { return .wait }
        return isLoaded ? .check : .load
    }

    /// The daemon has the configuration.
    package mutating func confirmed(at now: ContinuousClock.Instant) {
        isLoaded = true
        failures = 0
        due = now + Self.checkInterval
    }

    /// The daemon has lost the configuration: it is handed over at once.
    package mutating func lost(at now: ContinuousClock.Instant) {
        isLoaded = false
        due = now
    }

    /// The configuration could not be handed over: the next attempt is 1, 2, 4 … 30 seconds later.
    package mutating func failed(at now: ContinuousClock.Instant) {
        isLoaded = false
        due = now + min(.seconds(1 << min(failures, 5)), Self.longestPause)
        failures += 1
    }
}
