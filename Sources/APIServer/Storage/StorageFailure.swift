import GRDB

/// Why the database could not be read or written, for those who can do something about it.
enum StorageFailure: Error, CustomStringConvertible {
    /// No space is left.
    case full
    /// The file system or the files may not be written.
    case readOnly(String)
    /// What is on the disk is not what was written.
    case damaged(String)
    /// Anything else.
    case other(String)

    init(_ error: DatabaseError) {
        let text = error.message ?? "\(error.resultCode)"
        // A write that finds no space fails as an input/output error where only the log's index has to grow.
        switch error.resultCode {
        case .SQLITE_FULL: self = .full
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged(text)
        case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM: self = .readOnly(text)
        default: self = .other("\(text) (\(error.extendedResultCode))")
        }
    }

    /// What is wrong and what helps while the server runs.
    var description: String {
        switch self {
        case .full: "no space is left on the disk; free some, writes then go on by themselves"
        case .readOnly(let text): "it cannot be written (\(text)); make it writable, writes then go on by themselves"
        case .damaged(let text): "it is damaged (\(text)); reads go on; take a backup's copy with `duet server restore`"
        case .other(let text): text
        }
    }

    /// The same when the server starts.
    func configurationError(_ path: String) -> ConfigurationError {
        switch self {
        case .full:
            ConfigurationError("no space is left for the database \(path): free some and start again")
        case .readOnly(let text):
            ConfigurationError("cannot write the database \(path): \(text); choose another --data-dir")
        case .damaged(let text):
            ConfigurationError(
                "the database \(path) is damaged: \(text); restore a backup into another directory with `duet server "
                    + "restore`, or move the directory away to start with an empty cluster")
        case .other(let text):
            ConfigurationError("cannot open the database \(path): \(text)")
        }
    }
}
