import Dispatch
import GRDB
import Synchronization

/// A check of a database's pages on a connection and a thread of its own, while its rows are read.
final class IntegrityCheck: Sendable {
    private let isDone = DispatchGroup()
    private let result = Mutex<Result<Void, any Error>>(.success(()))

    /// Begins to check the database at a path.
    init(_ path: String) {
        DispatchQueue.global().async(group: isDone) { [self] in
            let outcome = Result {
                let queue = try DatabaseQueue(path: path)
                try queue.read { try ObjectLog.check($0) }
                try queue.close()
            }
            result.withLock { $0 = outcome }
        }
    }

    /// Waits for the end.
    ///
    /// - Throws: `DatabaseError` when the database is damaged or cannot be read.
    func wait() throws {
        isDone.wait()
        try result.withLock { $0 }.get()
    }
}
