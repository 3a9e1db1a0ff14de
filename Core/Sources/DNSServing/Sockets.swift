import Addresses
import CLinux
import Glibc
import Linux

/// Socket calls on non-blocking sockets; would-block is nil, other failures are errors.
enum Sockets {
    /// The room for datagrams that wait to be read, in bytes; the kernel may allow less.
    private static let receiveBuffer: Int32 = 4 << 20

    /// Opens a socket that answers at one address: datagrams, or a listening stream.
    ///
    /// Others may answer there too, so that a new process takes over before the old one leaves.
    static func open(_ address: IPAddress, port: UInt16, isStream: Bool, acceptsBoth: Bool = false)
        throws(SystemError) -> FileDescriptor
    {
        let socket = try make(address.family, isStream: isStream)
        set(socket, SOL_SOCKET, SO_REUSEADDR, 1)
        set(socket, SOL_SOCKET, SO_REUSEPORT, 1)
        if !isStream {
            set(socket, SOL_SOCKET, SO_RCVBUF, receiveBuffer)
            // Beyond the limit of the machine, which the node's own server may pass and others may not.
            set(socket, SOL_SOCKET, SO_RCVBUFFORCE, receiveBuffer)
        }
        if address.family == .ipv6 { set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, acceptsBoth ? 0 : 1) }
        let name = "\(isStream ? "TCP" : "UDP") \(address.uriHost):\(port)"
        let local = SocketAddress(address, port: port)
        guard unsafe local.read({ unsafe bind(socket.rawValue, $0, $1) }) == 0 else {
            throw SystemError(.last, "bind", name)
        }
        if isStream, listen(socket.rawValue, 128) != 0 { throw SystemError(.last, "listen on", name) }
        return socket
    }

    /// Opens a socket that talks to one server, from a port that the kernel draws at random.
    static func connect(_ address: IPAddress, port: UInt16, isStream: Bool) throws(SystemError) -> FileDescriptor {
        let socket = try make(address.family, isStream: isStream)
        let peer = SocketAddress(address, port: port)
        guard unsafe peer.read({ unsafe Glibc.connect(socket.rawValue, $0, $1) }) == 0 || errno == EINPROGRESS else {
            throw SystemError(.last, "connect to", "\(address.uriHost):\(port)")
        }
        return socket
    }

    private static func make(_ family: IPFamily, isStream: Bool) throws(SystemError) -> FileDescriptor {
        let kind = isStream ? SOCK_STREAM : SOCK_DGRAM
        let type = Int32(kind.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = socket(family == .ipv4 ? AF_INET : AF_INET6, type, 0)
        guard number >= 0 else { throw SystemError(.last, "open socket") }
        return FileDescriptor(owning: number)
    }

    private static func set(_ socket: borrowing FileDescriptor, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        // These options cannot fail on a socket of the right family, but for what only root may.
        _ = unsafe setsockopt(socket.rawValue, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Accepts a connection, and tells who it is from.
    static func accept(_ socket: borrowing FileDescriptor, from client: inout IPAddress) -> FileDescriptor? {
        let number = duet_accept(socket.rawValue)
        guard number >= 0 else { return nil }
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = unsafe withUnsafeMutablePointer(to: &storage) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getpeername(number, $0, &size) }
        }
        client = SocketAddress.address(of: storage)
        return FileDescriptor(owning: number)
    }

    /// Sends a datagram; false if the socket does not take it.
    static func send(_ socket: borrowing FileDescriptor, _ bytes: [UInt8], to peer: SocketAddress) -> Bool {
        unsafe peer.read { address, size in
            unsafe bytes.withUnsafeBytes {
                unsafe sendto(socket.rawValue, $0.baseAddress, $0.count, 0, address, size) >= 0
            }
        }
    }

    /// Whether what waits to be read fills a good part of a socket's room.
    static func isCrowded(_ socket: borrowing FileDescriptor) -> Bool {
        var figures: [UInt32] = Array(repeating: 0, count: SK_MEMINFO_VARS)
        var size = socklen_t(figures.count * 4)
        guard unsafe getsockopt(socket.rawValue, SOL_SOCKET, SO_MEMINFO, &figures, &size) == 0 else { return false }
        return figures[SK_MEMINFO_RMEM_ALLOC] > figures[SK_MEMINFO_RCVBUF] / 4
    }

    /// Sends as much as the socket takes.
    static func send(_ socket: borrowing FileDescriptor, _ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(socket.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        if count >= 0 { return count }
        guard errno == EAGAIN || errno == EINTR else { throw SystemError(.last, "send") }
        return 0
    }

    /// Receives what is there, at most `limit` bytes; nil if nothing is, empty at the end of a stream.
    static func receive(_ socket: borrowing FileDescriptor, limit: Int) throws(SystemError) -> [UInt8]? {
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let result = unsafe recv(socket.rawValue, buffer.baseAddress, limit, 0)
            failure = result < 0 ? errno : 0
            count = max(result, 0)
        }
        guard failure != 0 else { return bytes }
        guard failure == EAGAIN || failure == EINTR else {
            throw SystemError(Errno(rawValue: failure), "receive")
        }
        return nil
    }
}

/// The time in milliseconds on a clock that never goes back.
func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}

/// Keeps a descriptor open as long as somebody needs it.
final class Holder: Sendable {
    let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
}
