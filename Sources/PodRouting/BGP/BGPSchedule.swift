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
    private var lastProblem = ""
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
        lastProblem = ""
        due = now + Self.checkInterval
    }

    /// The daemon has lost the configuration: it is handed over at once.
    package mutating func lost(at now: ContinuousClock.Instant) {
        isLoaded = false
        due = now
    }

    /// The configuration could not be handed over: the next attempt is 1, 2, 4 … 30 seconds later.
    ///
    /// Returns whether the problem is another one than at the last attempt, times and other numbers in it left aside.
    package mutating func failed(_ problem: String, at now: ContinuousClock.Instant) -> Bool {
        isLoaded = false
        due = now + min(.seconds(1 << min(failures, 5)), Self.longestPause)
        failures += 1
        let problem = problem.filter { !$0.isNumber }
        defer { lastProblem = problem }
        return problem != lastProblem
    }
}
