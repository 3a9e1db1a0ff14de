internal import CLinux
internal import Glibc

/// An error number of the C library.
@frozen
public struct Errno: Error, RawRepresentable, Hashable, Sendable {
    /// The number, as in `errno(3)`.
    public let rawValue: Int32

    /// Wraps an error number.
    @inlinable
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// The error number that the last failed call of this thread left.
    public static var last: Errno {
        Errno(rawValue: Glibc.errno)
    }

    /// The peer has ended the connection.
    public static let connectionReset = Errno(rawValue: ECONNRESET)
    /// Connection refused.
    public static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    /// Protocol wrong type for socket.
    public static let wrongProtocolType = Errno(rawValue: EPROTOTYPE)
    /// File name too long.
    public static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
    /// No such file or directory.
    public static let noEntry = Errno(rawValue: ENOENT)
    /// File exists.
    public static let exists = Errno(rawValue: EEXIST)
    /// No such device or address.
    public static let noSuchAddress = Errno(rawValue: ENXIO)
    /// No such device.
    public static let noDevice = Errno(rawValue: ENODEV)
    /// Operation not permitted.
    public static let notPermitted = Errno(rawValue: EPERM)
    /// Permission denied.
    public static let accessDenied = Errno(rawValue: EACCES)
    /// Interrupted system call.
    public static let interrupted = Errno(rawValue: EINTR)
    /// Resource temporarily unavailable.
    public static let wouldBlock = Errno(rawValue: EAGAIN)
    /// Invalid argument.
    public static let invalidArgument = Errno(rawValue: EINVAL)
    /// Device or resource busy.
    public static let busy = Errno(rawValue: EBUSY)
    /// No such process.
    public static let noProcess = Errno(rawValue: ESRCH)
    /// Directory not empty.
    public static let notEmpty = Errno(rawValue: ENOTEMPTY)
    /// Not a directory.
    public static let notDirectory = Errno(rawValue: ENOTDIR)
    /// Is a directory.
    public static let isDirectory = Errno(rawValue: EISDIR)
    /// Cannot assign requested address.
    public static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
    /// No buffer space available.
    public static let noBufferSpace = Errno(rawValue: ENOBUFS)
    /// Operation not supported.
    public static let notSupported = Errno(rawValue: EOPNOTSUPP)
    /// Message too long.
    public static let messageTooLong = Errno(rawValue: EMSGSIZE)
    /// Interrupted system call should be restarted.
    public static let restart = Errno(rawValue: ERESTART)
    /// Invalid cross-device link.
    public static let crossDevice = Errno(rawValue: EXDEV)
    /// No space left on device.
    public static let noSpace = Errno(rawValue: ENOSPC)
    /// Network is unreachable.
    public static let networkUnreachable = Errno(rawValue: ENETUNREACH)
    /// Connection timed out.
    public static let timedOut = Errno(rawValue: ETIMEDOUT)
    /// Protocol not available.
    public static let protocolNotAvailable = Errno(rawValue: ENOPROTOOPT)
    /// No child processes.
    public static let noChild = Errno(rawValue: ECHILD)
}

extension Errno: CustomStringConvertible {
    /// The symbolic name, such as "ENOENT"; the number where the C library knows no name.
    public var name: String {
        guard let text = unsafe duet_errno_name(rawValue) else { return "errno \(rawValue)" }
        return unsafe String(cString: text)
    }

    /// The C library's text and the name: "No such file or directory (ENOENT)".
    public var description: String {
        guard let text = unsafe strerror(rawValue) else { return name }
        return unsafe "\(String(cString: text)) (\(name))"
    }
}
