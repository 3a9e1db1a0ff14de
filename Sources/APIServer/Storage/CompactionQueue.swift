/// Rows of the log that nothing needs any more, in the order in which they may go.
///
/// They go in bounded slices, each with a write that is made anyway, so that no writer ever waits for a long clean-up.
struct CompactionQueue: Sendable {
    /// What is kept for watches to resume after a restart: whichever limit is reached first.
    private static let keptRows = 20_000
    private static let keptBytes = 64 << 20
    /// Rows that one write takes along, and rows from which on it is worth it.
    private static let sliceRows = 256
    private static let worthwhileRows = 64

    private struct Row {
        let revision: Int64
        /// The row may go once the history up to this revision may.
        let end: Int64
        let size: Int
    }

    private var rows = ArrayQueue<Row>()
    private var bytes = 0

    /// Rows to delete, after which the history begins behind a revision.
    struct Slice: Sendable {
        let revisions: [Int64]
        let horizon: Int64
    }

    /// Notes which rows a stored event makes superfluous; a deletion comes after the row that it hides.
    mutating func add(_ event: StoredEvent) {
        if let previous = event.previous {
            append(previous, end: event.object.revision)
        }
        if event.kind == .deleted {
            append(event.object, end: event.object.revision)
        }
    }

    private mutating func append(_ object: StoredObject, end: Int64) {
        rows.append(Row(revision: object.revision, end: end, size: object.text.count))
        bytes += object.text.count
    }

    /// The oldest rows beyond what is kept; nil when they are few.
    func slice() -> Slice? {
        guard rows.count >= Self.keptRows + Self.worthwhileRows || bytes > Self.keptBytes else { return nil }
        var revisions: [Int64] = []
        var horizon: Int64 = 0
        var rest = bytes
        while revisions.count < min(Self.sliceRows, rows.count),
            rows.count - revisions.count > Self.keptRows || rest > Self.keptBytes
        {
            let row = rows[revisions.count]
            revisions.append(row.revision)
            rest -= row.size
            horizon = row.end
        }
        return Slice(revisions: revisions, horizon: horizon)
    }

    /// Forgets a slice that was deleted.
    mutating func remove(_ slice: Slice) {
        for _ in slice.revisions {
            bytes -= rows[0].size
            rows.removeFirst()
        }
    }
}
