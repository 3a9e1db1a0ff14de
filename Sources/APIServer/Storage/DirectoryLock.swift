import Linux

/// The sole use of a data directory, as long as it lives.
final class DirectoryLock: Sendable {
    private let lock: FileLock

    /// Takes the lock file of a directory.
    ///
    /// - Throws: `ConfigurationError` when another server holds it or the directory cannot be written.
    init(_ directory: String) throws {
        let path = directory + "/lock"
        do {
            guard let lock = try FileLock.attempt(path) else {
                throw ConfigurationError(
                    "another server uses the data directory \(directory); stop it, or choose another --data-dir")
            }
            self.lock = lock
        } catch let error as SystemError {
            throw ConfigurationError(
                "cannot write the data directory \(directory): \(error); choose another --data-dir")
        }
    }
}
