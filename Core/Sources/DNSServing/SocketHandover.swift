import Addresses
import CLinux
import Glibc
import Linux

/// Hands the sockets of a running server to the process that comes after it, over a Unix socket.
///
/// Both processes then hold the same sockets: nothing that waits in them is lost, whichever of the two reads it, and the
/// former one may leave at any time.
public struct SocketHandover: Sendable {
    /// One socket and what it is for, as 20 bytes: family, kind, port in network order, and the address.
    ///
    /// Behind the last socket comes a record without one.
    private static let recordSize = 20
    /// For how many seconds the process before may be silent.
    private static let patience = 5

    private let path: String
    private let state: DNSServerState
    /// The socket at the path by which a process has handed over.
    private let former: FileStatus?
    /// How many sockets the process before has handed over.
    public let count: Int

    /// Takes the sockets of the process that listens at `path`, if there is one.
    public init(from path: String, into state: DNSServerState) throws(SocketHandoverError) {
        self.path = path
        self.state = state
        guard let former = try Self.former(at: path) else {
            (self.former, count) = (nil, 0)
            return
        }
        guard let count = Self.take(from: path, into: state) else {
            throw SocketHandoverError(
                path,
                "whoever has this socket hands nothing over within \(Self.patience) seconds; end it (`ss -xlp` names it), "
                    + "or choose another path")
        }
        (self.former, self.count) = (former, count)
    }

    /// Listens for the next process at the path, which only root can reach then, on a thread that ends with the server.
    public func start() throws(SocketHandoverError) {
        if let present = try Self.former(at: path) {
            guard present == former else {
                throw SocketHandoverError(path, "another process has made a socket here meanwhile; end one of the two")
            }
            try? FileSystem.remove(path)
        }
        do throws(SystemError) {
            let (state, socket) = (state, Holder(try UnixSocket.listen(at: path, .packets)))
            try OSThread.detach(name: "dns-handover") {
                guard var poller = Poller.watching(socket.descriptor, state) else { return }
                var tokens: [UInt64] = []
                while !state.isStopped {
                    poller.wait(milliseconds: 500, into: &tokens)
                    if !tokens.isEmpty { Self.give(state, to: socket.descriptor) }
                }
            }
        } catch {
            throw SocketHandoverError(path, "\(error); choose another path")
        }
    }

    /// The socket at a path that a process has open; takes one away whose process has ended.
    private static func former(at path: String) throws(SocketHandoverError) -> FileStatus? {
        do throws(SystemError) {
            switch try UnixSocket.occupant(of: path) {
            case .nothing: return nil
            case .abandoned:
                try FileSystem.remove(path)
                return nil
            case .open: return try FileSystem.status(path, followLinks: false)
            case .other: break
            }
        } catch {
            throw SocketHandoverError(path, "\(error); choose another path")
        }
        throw SocketHandoverError(path, "it is no socket; take it away, or choose another path")
    }

    /// Gives every open socket to the process that has connected.
    private static func give(_ state: DNSServerState, to listener: borrowing FileDescriptor) {
        let number = duet_accept(listener.rawValue)
        guard number >= 0 else { return }
        let connection = FileDescriptor(owning: number)
        var record = [UInt8](repeating: 0, count: recordSize)
        state.forEachSocket { key, descriptor in
            record[0] = key.address.family == .ipv4 ? 4 : 6
            record[1] = key.isStream ? 1 : 0
            record[2] = UInt8(key.port >> 8)
            record[3] = UInt8(key.port & 0xFF)
            record.replaceSubrange(4..<(4 + key.address.bytes.count), with: key.address.bytes)
            _ = unsafe duet_send_descriptor(connection.rawValue, record, record.count, descriptor)
        }
        _ = unsafe send(connection.rawValue, record, record.count, Int32(MSG_NOSIGNAL))
    }

    /// Takes the sockets of the process that listens at `path`, and returns their number; `nil` when that is no such server.
    private static func take(from path: String, into state: DNSServerState) -> Int? {
        guard let connection = try? UnixSocket.connect(to: path, .packets, waiting: patience) else { return nil }
        var count = 0
        while true {
            var record = [UInt8](repeating: 0, count: recordSize)
            var descriptor: Int32 = -1
            let size = unsafe duet_receive_descriptor(connection.rawValue, &record, record.count, &descriptor)
            guard descriptor >= 0 else { return size == recordSize || count > 0 ? count : nil }
            let owned = FileDescriptor(owning: descriptor)
            guard size == recordSize, let address = IPAddress(bytes: record[4..<(record[0] == 4 ? 8 : 20)]) else {
                continue
            }
            let port = UInt16(record[2]) << 8 | UInt16(record[3])
            state.inherit(DNSServerState.SocketKey(address: address, port: port, isStream: record[1] == 1), owned)
            count += 1
        }
    }
}

/// Why sockets cannot be handed over at a path.
public struct SocketHandoverError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, and what to do.
    public let description: String

    init(_ path: String, _ problem: String) {
        description = "cannot hand DNS sockets over at \(path): \(problem)"
    }
}
