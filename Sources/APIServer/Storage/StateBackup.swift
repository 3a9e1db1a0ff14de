import Foundation
import GRDB
import Linux

/// A copy of a server's objects and keys in one file.
public enum StateBackup {
    /// By how much a restored server's revisions are ahead of the copy's.
    ///
    /// What was written after the copy was made is lost, but clients have seen its revisions. They must not meet them again
    /// with another meaning, so the restored server begins far behind them, and watches learn that they are too old.
    static let revisionGap: Int64 = 1_000_000_000

    private static let database = "state.sqlite"
    /// Directories of the data directory whose files belong to the state.
    private static let directories = ["pki"]

    /// What a copy holds.
    public struct Contents: Sendable, Equatable {
        /// Rows of the log, the history included.
        public let rows: Int
        /// The newest revision.
        public let revision: Int64
    }

    /// Copies the state of a data directory, whether a server runs there or not, as of one moment; writers do not wait.
    ///
    /// - Throws: `ConfigurationError` when the file exists or cannot be written, or the state is damaged.
    @discardableResult
    public static func create(_ file: String, dataDirectory: String) throws -> Contents {
        let source = "\(dataDirectory)/\(database)"
        guard FileSystem.exists(source) else {
            throw ConfigurationError("no database in \(dataDirectory); give the --data-dir of a server")
        }
        guard !FileSystem.exists(file) else {
            throw ConfigurationError("\(file) exists; choose another name, or remove it first")
        }
        return try build(file) { partial in
            try open(source).backup(to: partial)
            let contents = try partial.write { database in
                try check(database, source)
                try database.execute(
                    sql: "CREATE TABLE file (path TEXT PRIMARY KEY, content BLOB NOT NULL)")
                for path in try keyFiles(dataDirectory) {
                    try database.execute(
                        sql: "INSERT INTO file VALUES (?, ?)",
                        arguments: [path, Data(try FileSystem.readFile("\(dataDirectory)/\(path)"))])
                }
                return try ObjectLog.verify(database, source)
            }
            // One file, without a log beside it.
            try partial.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            return contents
        }
    }

    /// Makes a data directory from a copy.
    ///
    /// - Throws: `ConfigurationError` when the copy is damaged or none, or the directory is not empty; nothing is left then.
    @discardableResult
    public static func restore(_ file: String, dataDirectory: String) throws -> Contents {
        guard FileSystem.exists(file) else { throw ConfigurationError("there is no file \(file)") }
        let isNew = !FileSystem.exists(dataDirectory)
        guard try isNew || FileSystem.list(dataDirectory).isEmpty else {
            throw ConfigurationError("\(dataDirectory) is not empty; restore into a new directory")
        }
        try FileSystem.makeDirectory(dataDirectory, mode: 0o700, intermediate: true)
        do {
            return try unpack(file, dataDirectory)
        } catch {
            for name in (try? FileSystem.list(dataDirectory)) ?? [] {
                try? FileSystem.removeTree("\(dataDirectory)/\(name)")
            }
            if isNew {
                try? FileSystem.removeTree(dataDirectory)
            }
            throw error
        }
    }

    private static func unpack(_ file: String, _ dataDirectory: String) throws -> Contents {
        try build("\(dataDirectory)/\(database)") { partial in
            try open(file, isReadOnly: true).backup(to: partial)
            return try partial.write { database in
                try check(database, file)
                guard try database.tableExists("file") else {
                    throw ConfigurationError("\(file) is no backup; make one with `duet server backup`")
                }
                let contents = try ObjectLog.verify(database, file)
                for row in try Row.fetchAll(database, sql: "SELECT path, content FROM file") {
                    guard let path = String.fromDatabaseValue(row[0]), let content = Data.fromDatabaseValue(row[1]),
                        let directory = directories.first(where: { path.hasPrefix($0 + "/") }),
                        !path.dropFirst(directory.count + 1).contains("/")
                    else { throw ConfigurationError("\(file) is damaged: it names a file outside of the directory") }
                    try FileSystem.makeDirectory("\(dataDirectory)/\(directory)", mode: 0o700, intermediate: true)
                    try FileSystem.writeFileAtomically("\(dataDirectory)/\(path)", [UInt8](content), mode: 0o600)
                }
                try database.execute(sql: "DROP TABLE file")
                try ObjectLog.setCompacted(contents.revision + revisionGap, database)
                return contents
            }
        }
    }

    /// Makes a database under a name that it gets only when it is complete and on disk.
    private static func build(
        _ path: String, _ fill: (DatabaseQueue) throws -> Contents
    ) throws -> Contents {
        let partial = path + ".partial"
        do {
            if FileSystem.exists(partial) {
                try FileSystem.remove(partial)
            }
            try FileSystem.writeFile(partial, [], mode: 0o600)
            let queue = try DatabaseQueue(path: partial)
            let contents = try fill(queue)
            try queue.close()
            try FileDescriptor.open(partial).synchronize()
            try FileSystem.rename(partial, to: path)
            return contents
        } catch {
            for suffix in ["", "-journal", "-wal", "-shm"] where FileSystem.exists(partial + suffix) {
                try? FileSystem.remove(partial + suffix)
            }
            switch error {
            case let error as DatabaseError: throw StorageFailure(error).configurationError(path)
            case let error as SystemError: throw ConfigurationError("cannot write \(path): \(error)")
            default: throw error
            }
        }
    }

    private static func open(_ path: String, isReadOnly: Bool = false) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.readonly = isReadOnly
        configuration.busyMode = .timeout(10)
        do {
            return try DatabaseQueue(path: path, configuration: configuration)
        } catch let error as DatabaseError {
            throw StorageFailure(error).configurationError(path)
        }
    }

    private static func check(_ database: Database, _ path: String) throws {
        let found = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)") ?? ""
        guard found == "ok" else { throw StorageFailure.damaged(found).configurationError(path) }
        let layout = try Int.fetchOne(database, sql: "PRAGMA user_version")
        guard layout == ObjectLog.layout, try database.tableExists("log") else {
            throw ConfigurationError("\(path) holds no state that this version of duet knows")
        }
    }

    /// Paths of the files that belong to the state.
    private static func keyFiles(_ dataDirectory: String) throws -> [String] {
        try directories.filter { FileSystem.exists("\(dataDirectory)/\($0)") }.flatMap { directory in
            try FileSystem.list("\(dataDirectory)/\(directory)").sorted().map { "\(directory)/\($0)" }
        }
    }
}
