/// Decides which failures of a list or watch are worth a line in the log: each reason once, when it is clear that it
/// does not pass by itself; and then that it has passed.
package struct FailureReport {
    /// How long a server may be away without a word about it: it may be starting again.
    static let patience = Duration.seconds(3)

    /// Why an attempt has failed.
    package enum Reason: Hashable {
        /// There was no answer.
        case noAnswer
        /// The server has answered with this status.
        case status(Int)
    }

    private var since: ContinuousClock.Instant?
    private var told: Reason?

    /// Makes a report of nothing.
    package init() {}

    /// An attempt has failed; returns whether that is worth telling.
    package mutating func failed(_ reason: Reason, at now: ContinuousClock.Instant = .now) -> Bool {
        let begin = since ?? now
        since = begin
        guard reason != told, reason != .noAnswer || begin.duration(to: now) >= Self.patience else { return false }
        told = reason
        return true
    }

    /// An attempt has succeeded; returns the reason that has been told last, and is no more.
    package mutating func succeeded() -> Reason? {
        defer { (since, told) = (nil, nil) }
        return told
    }
}
