internal import Glibc

/// Unix sockets that have a path.
public enum UnixSocket {
    /// What a connection carries.
    public enum Kind: Sendable {
        /// Bytes.
        case stream
        /// Packets in order.
        case packets
    }

    /// What lies at a path.
    public enum Occupant: Sendable, Hashable {
        /// Nothing.
        case nothing
        /// The socket of a process that has ended.
        case abandoned
        /// A socket that a process has open.
        case open
        /// Something else than a socket.
        case other
    }

    /// Tells what lies at a path; a process that listens there for a stream sees a connection that ends at once.
    public static func occupant(of path: String) throws(SystemError) -> Occupant {
        do throws(SystemError) {
            // The kernel refuses connections to a file in the same way as those to a socket that nobody has open.
            guard try FileSystem.status(path, followLinks: false).kind == .socket else { return .other }
            try connect(make(.stream, SOCK_NONBLOCK.rawValue), to: path)
            return .open
        } catch {
            switch error.errno {
            case .noEntry: return .nothing
            case .connectionRefused: return .abandoned
            // Its queue is full, or it is of another kind.
            case .wouldBlock, .wrongProtocolType: return .open
            default: throw error
            }
        }
    }

    /// Connects to whoever listens at a path.
    ///
    /// - Parameter seconds: how long connecting, and each sending and receiving, waits.
    public static func connect(
        to path: String, _ kind: Kind, waiting seconds: Int
    ) throws(SystemError) -> FileDescriptor {
        let socket = try make(kind)
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            _ = try systemCall("limit the time of", path) {
                unsafe setsockopt(
                    socket.rawValue, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
            }
        }
        try connect(socket, to: path)
        return socket
    }

    /// Makes a socket at a path where nothing lies, which the process's owner alone can reach; calls on it do not wait.
    public static func listen(at path: String, _ kind: Kind) throws(SystemError) -> FileDescriptor {
        let socket = try make(kind, SOCK_NONBLOCK.rawValue)
        let address = try address(path)
        _ = try systemCall("bind", path) { unsafe address.read { unsafe bind(socket.rawValue, $0, $1) } }
        try FileSystem.setMode(path, 0o600)
        _ = try systemCall("listen on", path) { Glibc.listen(socket.rawValue, 4) }
        return socket
    }

    private static func connect(_ socket: borrowing FileDescriptor, to path: String) throws(SystemError) {
        let address = try address(path)
        _ = try systemCall("connect to", path) {
            unsafe address.read { unsafe Glibc.connect(socket.rawValue, $0, $1) }
        }
    }

    private static func make(_ kind: Kind, _ flags: UInt32 = 0) throws(SystemError) -> FileDescriptor {
        let type = (kind == .stream ? SOCK_STREAM : SOCK_SEQPACKET).rawValue | SOCK_CLOEXEC.rawValue | flags
        return FileDescriptor(owning: try systemCall("open socket") { socket(AF_UNIX, Int32(type), 0) })
    }

    private static func address(_ path: String) throws(SystemError) -> Address {
        var value = sockaddr_un()
        value.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let isShort = unsafe withUnsafeMutableBytes(of: &value.sun_path) { room in
            guard bytes.count < room.count else { return false }
            unsafe room.copyBytes(from: bytes)
            return true
        }
        guard isShort else { throw SystemError(.nameTooLong, "use path", path) }
        return Address(value: value)
    }

    private struct Address {
        let value: sockaddr_un

        func read<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
            unsafe withUnsafePointer(to: value) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }
}
