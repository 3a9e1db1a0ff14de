internal import Glibc

/// What the kernel knows of a file.
public struct FileStatus: Sendable, Hashable {
    /// What a path names.
    public enum Kind: Sendable, Hashable {
        /// A regular file.
        case file
        /// A directory.
        case directory
        /// A symbolic link.
        case link
        /// A socket.
        case socket
        /// Devices and pipes.
        case other
    }

    /// What the path names.
    public let kind: Kind
    /// The size in bytes.
    public let size: Int64
    /// The permission bits.
    public let mode: UInt32
    /// The device that holds the file.
    public let device: UInt64
    /// The file's number on the device.
    public let inode: UInt64
    /// When the content last changed, in nanoseconds since 1970.
    public let modified: Int64

    init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            case S_IFLNK: .link
            case S_IFSOCK: .socket
            default: .other
            }
        size = Int64(status.st_size)
        mode = UInt32(status.st_mode & 0o7777)
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }
}
