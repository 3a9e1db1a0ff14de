import Foundation
import GRDB
import Linux

/// One row of the log.
struct LogRecord: Sendable {
    /// Revision of the write.
    let revision: Int64
    /// Group and plural, such as `apps/deployments` or `/pods`.
    let resource: String
    /// The object.
    let key: ObjectKey
    /// The change.
    let kind: StoredEvent.Kind
    /// The object's text after the change.
    let text: [UInt8]
}

/// The accepted writes in SQLite: the newest row of an object is its state, older rows are the history.
///
/// The journal is a write-ahead log and every commit is synced (`synchronous=FULL`), so an acknowledged write survives a
/// power failure; concurrent writers share a commit, so they share its sync.
final class ObjectLog: Sendable {
    /// Rows before this many revisions are dropped once a newer row of their object exists.
    private static let keptRevisions: Int64 = 20_000
    private static let compactionInterval: Int64 = 1_000

    private let queue: DatabaseQueue
    /// Path of the database.
    let path: String

    /// Opens or creates the database.
    ///
    /// - Throws: `ConfigurationError` that names the file when it cannot be read, written, or is damaged.
    init(path: String) throws {
        self.path = path
        do {
            var configuration = Configuration()
            configuration.prepareDatabase { database in
                try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.write { database in
                let check = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
                guard check == "ok" else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: check) }
                try database.execute(
                    sql: """
                        CREATE TABLE IF NOT EXISTS log (
                            revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL,
                            name TEXT NOT NULL, kind INTEGER NOT NULL, object BLOB NOT NULL);
                        CREATE INDEX IF NOT EXISTS log_object ON log (resource, namespace, name, revision);
                        CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL)
                        """)
            }
            for file in [path, path + "-wal", path + "-shm"] where FileSystem.exists(file) {
                try FileSystem.setMode(file, 0o600)
            }
        } catch let error as DatabaseError {
            throw Self.explain(error, path)
        }
    }

    /// The revision before which the history is incomplete, and every row in order.
    func read(_ body: (LogRecord) -> Void) throws -> Int64 {
        do {
            return try queue.read { database in
                let rows = try Row.fetchCursor(
                    database, sql: "SELECT revision, resource, namespace, name, kind, object FROM log ORDER BY revision"
                )
                while let row = try rows.next() {
                    let data: Data = row[5]
                    body(
                        LogRecord(
                            revision: row[0], resource: row[1], key: ObjectKey(namespace: row[2], name: row[3]),
                            kind: StoredEvent.Kind(rawValue: row[4]) ?? .modified, text: [UInt8](data)))
                }
                return try Int64.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'compacted'") ?? 0
            }
        } catch let error as DatabaseError {
            throw Self.explain(error, path)
        }
    }

    /// Appends rows in one transaction; when it returns, they are on disk, when it throws, none of them is.
    func append(_ records: [LogRecord]) async throws {
        try await queue.write { database in
            let insert = try database.cachedStatement(
                sql: "INSERT INTO log (revision, resource, namespace, name, kind, object) VALUES (?, ?, ?, ?, ?, ?)")
            for record in records {
                try insert.execute(arguments: [
                    record.revision, record.resource, record.key.namespace, record.key.name, record.kind.rawValue,
                    Data(record.text),
                ])
            }
            guard let first = records.first, let last = records.last,
                last.revision / Self.compactionInterval > (first.revision - 1) / Self.compactionInterval
            else { return }
            try Self.compact(database, before: last.revision - Self.keptRevisions)
        }
    }

    /// Drops rows that a newer row of the same object has replaced, and deletions, up to a revision.
    private static func compact(_ database: Database, before revision: Int64) throws {
        guard revision > 0 else { return }
        try database.execute(
            sql: """
                DELETE FROM log WHERE revision <= :revision AND (kind = :deleted OR EXISTS (
                    SELECT 1 FROM log AS newer WHERE newer.resource = log.resource AND newer.namespace = log.namespace
                    AND newer.name = log.name AND newer.revision > log.revision AND newer.revision <= :revision));
                INSERT INTO meta VALUES ('compacted', :revision) ON CONFLICT (key) DO UPDATE SET value = :revision
                """,
            arguments: ["revision": revision, "deleted": StoredEvent.Kind.deleted.rawValue])
    }

    /// Closes the database.
    func close() throws {
        try queue.close()
    }

    private static func explain(_ error: DatabaseError, _ path: String) -> ConfigurationError {
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            ConfigurationError(
                "the database \(path) is damaged (\(error.message ?? "\(error.resultCode)")); restore it from a copy, or "
                    + "move it away to start with an empty cluster")
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
            ConfigurationError(
                "cannot write the database \(path): \(error.message ?? "no permission"); choose another --data-dir")
        case .SQLITE_FULL:
            ConfigurationError("no space left for the database \(path): free some and start again")
        default:
            ConfigurationError("cannot open the database \(path): \(error.message ?? "\(error.resultCode)")")
        }
    }
}
