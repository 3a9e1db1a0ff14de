internal import Glibc

/// An advisory lock on a file (`flock(2)`), held until the owner goes away.
public struct FileLock: ~Copyable, Sendable {
    private let file: FileDescriptor

    /// Creates the file when needed and waits for the exclusive lock.
    public init(_ path: String, mode: UInt32 = 0o600) throws(SystemError) {
        self.init(try Self.locked(FileDescriptor.open(path, [.readWrite, .create], mode: mode), path))
    }

    /// Locks an existing directory or file without creating one, as the reference IPAM plugin does.
    public init(existing path: String) throws(SystemError) {
        self.init(try Self.locked(FileDescriptor.open(path), path))
    }

    private init(_ file: consuming FileDescriptor) {
        self.file = file
    }

    private static func locked(
        _ file: consuming FileDescriptor, _ path: String
    ) throws(SystemError) -> FileDescriptor {
        let descriptor = file.rawValue
        _ = try systemCall("lock", path) { flock(descriptor, LOCK_EX) }
        return file
    }

    /// Takes the lock if nobody holds it; `nil` when somebody does.
    public static func attempt(_ path: String, mode: UInt32 = 0o600) throws(SystemError) -> FileLock? {
        let file = try FileDescriptor.open(path, [.readWrite, .create], mode: mode)
        do throws(SystemError) {
            _ = try systemCall("lock", path) { flock(file.rawValue, LOCK_EX | LOCK_NB) }
        } catch  where error.errno == .wouldBlock {
            return nil
        }
        return FileLock(file)
    }

    /// Lets others have the lock.
    public consuming func unlock() {}
}
