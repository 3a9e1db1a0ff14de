import Foundation
import GRDB
import GRDBSQLite
import Linux

/// The accepted writes in SQLite: the newest row of an object is its state, older rows are the history.
///
/// The journal is a write-ahead log and every commit is synced (`synchronous=FULL`), so an acknowledged write survives a
/// power failure; concurrent writers share a commit, so they share its sync.
final class ObjectLog: Sendable {
    /// What `PRAGMA user_version` says of a database in this layout.
    static let layout = 2
    /// Pages of the write-ahead log after which they are brought into the database.
    private static let checkpointPages = 4096

    private let queue: DatabaseQueue
    private let watermark: Watermark
    /// Path of the database.
    let path: String

    /// Opens or creates the database.
    ///
    /// - Throws: `ConfigurationError` that names the file when it cannot be read, written, or is damaged.
    init(path: String) throws {
        self.path = path
        do {
            var configuration = Configuration()
            configuration.label = "objects"
            configuration.prepareDatabase { database in
                try database.execute(
                    sql: """
                        PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                        PRAGMA wal_autocheckpoint = \(Self.checkpointPages)
                        """)
            }
            queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.write { try Self.prepare($0, path) }
            for file in [path, path + "-wal", path + "-shm"] where FileSystem.exists(file) {
                try FileSystem.setMode(file, 0o600)
            }
        } catch let error as DatabaseError {
            throw StorageFailure(error).configurationError(path)
        }
        watermark = try Watermark(path: path + ".revision")
    }

    private static func prepare(_ database: Database, _ path: String) throws {
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found <= layout else {
            throw ConfigurationError(
                "the database \(path) was written by a newer duet (layout \(found), this one knows \(layout)); use that "
                    + "one, or restore a backup made with this one")
        }
        guard found < layout else { return }
        try check(database)
        if try database.tableExists("log") {
            try database.execute(
                sql: """
                    DROP INDEX IF EXISTS log_object;
                    ALTER TABLE log RENAME TO earlier
                    """)
        }
        try database.execute(
            sql: """
                CREATE TABLE log (
                    revision INTEGER PRIMARY KEY, written INTEGER NOT NULL, checksum INTEGER NOT NULL,
                    resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL, kind INTEGER NOT NULL,
                    object BLOB NOT NULL);
                CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
                PRAGMA user_version = \(layout)
                """)
        guard try database.tableExists("earlier") else { return }
        let now = Int64(Date().timeIntervalSince1970)
        try forEachRow(
            database, "SELECT revision, \(now), 0, resource, namespace, name, kind, object FROM earlier", path
        ) { try insert($0.record, database) }
        try database.execute(sql: "DROP TABLE earlier")
    }

    /// The revision before which the history is incomplete, and every row in order.
    ///
    /// - Parameter body: Gets the rows; it has to compare their checksums.
    /// - Throws: `ConfigurationError` when the database is damaged, or when rows are missing that had been acknowledged.
    func read(_ body: (LogRow) throws -> Void) throws -> Int64 {
        let check = IntegrityCheck(path)
        let result = Result {
            try queue.read { database in
                let last = try Self.forEachRow(database, path, body)
                let compacted = try Self.compacted(database)
                try watermark.check(max(last, compacted), path)
                return compacted
            }
        }
        do {
            // A damaged database says more than what its rows look like.
            try check.wait()
            return try result.get()
        } catch let error as DatabaseError {
            throw StorageFailure(error).configurationError(path)
        }
    }

    /// Compares the database's pages with each other: rows carry checksums, but would not be missed if they were gone.
    static func check(_ database: Database) throws {
        let found = try String.fetchOne(database, sql: "PRAGMA quick_check(1)") ?? ""
        guard found == "ok" else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: found) }
    }

    /// What a database holds, all of which has been read and compared with its checksums.
    static func verify(_ database: Database, _ path: String) throws -> StateBackup.Contents {
        var rows = 0
        let last = try forEachRow(database, path) {
            _ = try $0.checked(path)
            rows += 1
        }
        return StateBackup.Contents(rows: rows, revision: max(last, try compacted(database)))
    }

    private static func compacted(_ database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT value FROM meta WHERE key = 'compacted'") ?? 0
    }

    /// Reads every row in order; returns the revision of the last.
    private static func forEachRow(
        _ database: Database, _ path: String, _ body: (LogRow) throws -> Void
    ) throws -> Int64 {
        var last: Int64 = 0
        try forEachRow(
            database,
            """
            SELECT revision, written, checksum, resource, namespace, name, kind, object
            FROM log ORDER BY revision
            """, path
        ) { row in
            last = row.record.revision
            try body(row)
        }
        return last
    }

    private static func forEachRow(
        _ database: Database, _ sql: String, _ path: String, _ body: (LogRow) throws -> Void
    ) throws {
        let statement = try database.makeStatement(sql: sql)
        let cursor = try Row.fetchCursor(statement)
        while try cursor.next() != nil {
            guard let row = LogRow(statement.sqliteStatement) else {
                throw StorageFailure.damaged("a row cannot be read").configurationError(path)
            }
            try body(row)
        }
    }

    private static func insert(_ record: LogRecord, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO log (revision, written, checksum, resource, namespace, name, kind, object)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """)
        try statement.execute(arguments: [
            record.revision, record.written, record.checksum, record.resource, record.key.namespace, record.key.name,
            record.kind.rawValue, Data(record.text),
        ])
    }

    /// Appends rows and drops superfluous ones in one transaction; when it returns, that is on disk, when it throws, none
    /// of it is.
    func append(_ records: [LogRecord], dropping slice: CompactionQueue.Slice?) throws {
        do {
            try queue.write { database in
                for record in records {
                    try Self.insert(record, database)
                }
                guard let slice else { return }
                let delete = try database.cachedStatement(sql: "DELETE FROM log WHERE revision = ?")
                for revision in slice.revisions {
                    try delete.execute(arguments: [revision])
                }
                try Self.setCompacted(slice.horizon, database)
            }
        } catch let error as DatabaseError {
            throw StorageFailure(error)
        }
        if let last = records.last {
            watermark.raise(to: last.revision)
        }
    }

    /// Declares the history up to a revision incomplete.
    static func setCompacted(_ revision: Int64, _ database: Database) throws {
        try database.execute(
            sql: "INSERT INTO meta VALUES ('compacted', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
            arguments: [revision])
    }

    /// Closes the database.
    func close() throws {
        try queue.close()
    }
}
