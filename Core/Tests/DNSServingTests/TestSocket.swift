import Addresses
import CLinux
import Foundation
import Linux
import Testing

/// A client's socket, over IPv4.
final class TestSocket {
    private var descriptor: Int32

    struct Failure: Error {
        let operation: String
        let number = errno
    }

    /// Opens a socket for datagrams; `room` bytes may wait in it.
    init(bound address: String, port: UInt16 = 0, room: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        if var room {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &room, 4)
            var one: Int32 = 1
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
            setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &one, 4)
        }
        var time = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        guard with(address, port, { bind(descriptor, $0, $1) }) == 0 else { throw Failure(operation: "bind") }
    }

    /// Opens a connection.
    init(connectedTo address: String, port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var time = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        guard with(address, port, { connect(descriptor, $0, $1) }) == 0 else { throw Failure(operation: "connect") }
    }

    /// Opens a socket for connections.
    init(listeningOn address: String, port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        guard with(address, port, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 16) == 0 else {
            throw Failure(operation: "listen")
        }
    }

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// The next connection.
    func accept() throws -> TestSocket {
        guard waits(milliseconds: 60_000) else { throw Failure(operation: "accept") }
        return TestSocket(Glibc.accept(descriptor, nil, nil))
    }

    /// Whether a connection waits.
    var isAsked: Bool { waits(milliseconds: 0) }

    private func waits(milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) == 1
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Gives the descriptor away.
    func take() -> FileDescriptor {
        defer { descriptor = -1 }
        return FileDescriptor(owning: descriptor)
    }

    func send(_ bytes: [UInt8], to address: String, port: UInt16) {
        _ = with(address, port) { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
    }

    func write(_ bytes: [UInt8]) { _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// The next datagram.
    func receive() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 2048)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { throw Failure(operation: "receive") }
        return Array(bytes[..<count])
    }

    /// The next datagram, and the port that it comes from.
    func receiveWithPort() throws -> ([UInt8], UInt16) {
        var bytes = [UInt8](repeating: 0, count: 2048)
        var peer = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                recvfrom(descriptor, &bytes, bytes.count, 0, $0, &size)
            }
        }
        guard count > 0 else { throw Failure(operation: "receive") }
        return (Array(bytes[..<count]), UInt16(bigEndian: peer.sin_port))
    }

    /// Takes what has come, until nothing more does.
    func empty() {
        var bytes = [UInt8](repeating: 0, count: 2048)
        while recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT)) > 0 {}
    }

    /// Whether the other side ends the connection in time.
    func isClosed() -> Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, 0) == 0 || errno == ECONNRESET
    }

    private func with<Result>(
        _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        value.sin_addr.s_addr = inet_addr(address)
        return withUnsafePointer(to: &value) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
