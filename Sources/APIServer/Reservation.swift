/// The effects of an admission on allocators, kept if the write is stored and undone if it is not.
package struct Reservation: Sendable {
    private let onCommit: @Sendable () -> Void
    private let onRollback: @Sendable () -> Void

    /// Pairs the two outcomes; `commit` may free what the write gave up, `rollback` frees what it took.
    package init(
        commit: @escaping @Sendable () -> Void = {}, rollback: @escaping @Sendable () -> Void = {}
    ) {
        onCommit = commit
        onRollback = rollback
    }

    /// Nothing was allocated.
    package static let none = Self()

    /// Called once after the write is in the log.
    package func commit() { onCommit() }

    /// Called once when the write was refused or could not be stored.
    package func rollback() { onRollback() }
}
