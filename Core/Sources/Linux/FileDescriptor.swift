internal import CLinux
internal import Glibc

/// The owner of an open file descriptor; it is closed when the owner goes away.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number, for calls that borrow the descriptor.
    public let rawValue: Int32

    /// Takes ownership of an open descriptor.
    public init(owning rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        _ = Glibc.close(rawValue)
    }

    /// Gives the number away without closing it.
    public consuming func release() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    /// Closes the descriptor and reports what a delayed write may have failed with.
    public consuming func close() throws(SystemError) {
        let number = rawValue
        discard self
        // Linux frees the number even when close fails, so it is never repeated.
        if Glibc.close(number) != 0, Errno.last != .interrupted {
            throw SystemError(.last, "close")
        }
    }

    /// Duplicates the descriptor; the duplicate is closed on exec.
    public func duplicate() throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try systemCall("duplicate descriptor") { fcntl(rawValue, F_DUPFD_CLOEXEC, 0) })
    }
}

extension FileDescriptor {
    /// How a file is opened.
    public struct OpenOptions: OptionSet, Sendable {
        /// The flags of `open(2)`.
        public let rawValue: Int32

        /// Wraps flags of `open(2)`.
        public init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// Open for writing only.
        public static let writeOnly = OpenOptions(rawValue: O_WRONLY)
        /// Open for reading and writing.
        public static let readWrite = OpenOptions(rawValue: O_RDWR)
        /// Create the file when it does not exist.
        public static let create = OpenOptions(rawValue: O_CREAT)
        /// Fail when the file exists.
        public static let exclusive = OpenOptions(rawValue: O_EXCL)
        /// Empty the file.
        public static let truncate = OpenOptions(rawValue: O_TRUNC)
        /// Write at the end.
        public static let append = OpenOptions(rawValue: O_APPEND)
        /// Fail when the path is not a directory.
        public static let directory = OpenOptions(rawValue: O_DIRECTORY)
        /// Do not wait.
        public static let nonBlocking = OpenOptions(rawValue: O_NONBLOCK)
    }

    /// Opens a file, closed on exec; for reading unless the options say otherwise.
    public static func open(
        _ path: String, _ options: OpenOptions = [], mode: UInt32 = 0o644
    ) throws(SystemError) -> FileDescriptor {
        FileDescriptor(
            owning: try systemCall("open", path) {
                unsafe Glibc.open(path, options.rawValue | O_CLOEXEC, mode_t(mode))
            })
    }

    /// Creates a pipe; both ends are closed on exec.
    public static func pipe() throws(SystemError) -> Pipe {
        var reading: Int32 = -1
        var writing: Int32 = -1
        _ = try systemCall("create pipe") { unsafe duet_pipe(&reading, &writing) }
        return Pipe(reading: FileDescriptor(owning: reading), writing: FileDescriptor(owning: writing))
    }

    /// The two ends of a pipe.
    public struct Pipe: ~Copyable, Sendable {
        /// The end to read from.
        public let reading: FileDescriptor
        /// The end to write to.
        public let writing: FileDescriptor
    }

    /// Reads at most `count` bytes; an empty result is the end of the file.
    public func read(upTo count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            do throws(SystemError) {
                used = try systemCall("read") { unsafe Glibc.read(rawValue, buffer.baseAddress, count) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads to the end of the file.
    public func readToEnd() throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        // A page, as the kernel prepares most of /proc: small files are the many, and below /proc/sys it clears a buffer of
        // the size that is asked for.
        var size = 4096
        while true {
            let part = try read(upTo: size)
            if part.isEmpty { return bytes }
            bytes += part
            if part.count == size { size = min(size * 4, 65_536) }
        }
    }

    /// Writes all bytes.
    public func write(_ bytes: [UInt8]) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            offset += try systemCall("write") {
                unsafe bytes.withUnsafeBytes { buffer in
                    unsafe Glibc.write(
                        rawValue, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
                }
            }
        }
    }

    /// Forces the file's content to the disk.
    public func synchronize() throws(SystemError) {
        _ = try systemCall("fsync") { fsync(rawValue) }
    }

    /// What the kernel knows of the file.
    public func status() throws(SystemError) -> FileStatus {
        var status = stat()
        _ = try systemCall("fstat") { unsafe fstat(rawValue, &status) }
        return FileStatus(status)
    }
}
