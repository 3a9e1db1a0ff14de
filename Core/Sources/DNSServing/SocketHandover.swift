import Addresses
import CLinux
import Glibc
public import Linux

/// Hands the sockets of a running server to the process that comes after it, over a Unix socket.
///
/// Both processes then hold the same sockets: nothing that waits in them is lost, whichever of the two reads it, and the
/// former one may leave at any time.
public enum SocketHandover {
    /// One socket and what it is for, as 20 bytes: family, kind, port in network order, and the address.
    private static let recordSize = 20

    /// Listens for the next process at a path that only root can reach, on a thread that ends with the server.
    public static func start(_ state: DNSServerState, at path: String) throws(SystemError) {
        let socket = Holder(try listen(at: path))
        try OSThread.detach(name: "dns-handover") {
            guard var poller = Poller.watching(socket.descriptor, state) else { return }
            var tokens: [UInt64] = []
            while !state.isStopped {
                poller.wait(milliseconds: 500, into: &tokens)
                if !tokens.isEmpty { give(state, to: socket.descriptor) }
            }
        }
    }

    private static func listen(at path: String) throws(SystemError) -> FileDescriptor {
        _ = unsafe unlink(path)
        let socket = try makeSocket()
        let address = try unixAddress(path)
        let status = unsafe address.read { unsafe bind(socket.rawValue, $0, $1) }
        guard status == 0 else { throw SystemError(.last, "bind", path) }
        guard unsafe chmod(path, 0o600) == 0, Glibc.listen(socket.rawValue, 4) == 0 else {
            throw SystemError(.last, "listen on", path)
        }
        return socket
    }

    /// Gives every open socket to the process that has connected.
    private static func give(_ state: DNSServerState, to listener: borrowing FileDescriptor) {
        let number = duet_accept(listener.rawValue)
        guard number >= 0 else { return }
        let connection = FileDescriptor(owning: number)
        state.forEachSocket { key, descriptor in
            var record = [UInt8](repeating: 0, count: recordSize)
            record[0] = key.address.family == .ipv4 ? 4 : 6
            record[1] = key.isStream ? 1 : 0
            record[2] = UInt8(key.port >> 8)
            record[3] = UInt8(key.port & 0xFF)
            record.replaceSubrange(4..<(4 + key.address.bytes.count), with: key.address.bytes)
            _ = unsafe duet_send_descriptor(connection.rawValue, record, record.count, descriptor)
        }
    }

    /// Takes the sockets of the process that listens at `path`; the result is their number, 0 if nobody listens.
    @discardableResult
    public static func take(from path: String, into state: DNSServerState) throws(SystemError) -> Int {
        let connection = try makeSocket(isBlocking: true)
        let address = try unixAddress(path)
        guard unsafe address.read({ unsafe connect(connection.rawValue, $0, $1) }) == 0 else { return 0 }
        var count = 0
        while true {
            var record = [UInt8](repeating: 0, count: recordSize)
            var descriptor: Int32 = -1
            let size = unsafe duet_receive_descriptor(connection.rawValue, &record, record.count, &descriptor)
            guard size == recordSize, descriptor >= 0 else { return count }
            let owned = FileDescriptor(owning: descriptor)
            guard let address = IPAddress(bytes: record[4..<(record[0] == 4 ? 8 : 20)]) else { continue }
            let port = UInt16(record[2]) << 8 | UInt16(record[3])
            state.inherit(DNSServerState.SocketKey(address: address, port: port, isStream: record[1] == 1), owned)
            count += 1
        }
    }

    private static func makeSocket(isBlocking: Bool = false) throws(SystemError) -> FileDescriptor {
        let flags = SOCK_CLOEXEC.rawValue | (isBlocking ? 0 : SOCK_NONBLOCK.rawValue)
        let number = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | flags), 0)
        guard number >= 0 else { throw SystemError(.last, "open socket") }
        return FileDescriptor(owning: number)
    }

    private static func unixAddress(_ path: String) throws(SystemError) -> SocketAddress {
        var storage = sockaddr_storage()
        let bytes = Array(path.utf8)
        guard bytes.count < 108 else { throw SystemError(.invalidArgument, "use path", path) }
        unsafe withUnsafeMutableBytes(of: &storage) { memory in
            unsafe memory.storeBytes(of: sa_family_t(AF_UNIX), as: sa_family_t.self)
            for (index, byte) in bytes.enumerated() { unsafe memory[2 + index] = byte }
        }
        return SocketAddress(storage, size: socklen_t(3 + bytes.count))
    }
}
