public import Addresses
internal import CLinux
internal import Linux
public import Netlink

/// A datagram socket, as the kernel lists it.
public struct DatagramSocket: Sendable, Hashable {
    /// The number that no other socket gets before the next boot; eBPF programs see the same.
    public let cookie: UInt64
    /// The address that it is connected to; all zeros when it is not.
    public let remoteAddress: IPAddress
    /// The port that it is connected to; 0 when it is not.
    public let remotePort: UInt16
    /// The address family of the socket itself, which for a connection to an IPv4 address may be IPv6.
    let family: UInt8
    /// `struct inet_diag_sockid` of linux/inet_diag.h.
    let identifier: [UInt8]

    init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(SOCK_DIAG_BY_FAMILY), reply.payload.count >= 4 + Self.identifierSize else {
            return nil
        }
        let payload = reply.payload.dropFirst(4).prefix(Self.identifierSize)
        family = reply.payload.integer(at: 0)
        identifier = Array(payload)
        remotePort = UInt16(bigEndian: payload.integer(at: 2))
        let size = family == UInt8(AF_INET) ? 4 : 16
        guard let address = IPAddress(bytes: payload.dropFirst(20).prefix(size)) else { return nil }
        // A socket of IPv6 that is connected to an IPv4 address.
        if case .v6(let inner) = address, let mapped = inner.mapped {
            remoteAddress = .v4(mapped)
        } else {
            remoteAddress = address
        }
        cookie =
            UInt64(payload.integer(at: 40, as: UInt32.self)) | UInt64(payload.integer(at: 44, as: UInt32.self)) << 32
    }

    static let identifierSize = 48

    private init(family: UInt8) {
        self.family = family
        identifier = [UInt8](repeating: 0, count: Self.identifierSize)
        cookie = 0
        remoteAddress = IPAddress(family: .ipv4, bits: 0)
        remotePort = 0
    }

    /// A socket that does not exist: none has the port 0 on both ends.
    static let nobody = DatagramSocket(family: UInt8(AF_INET))
}

/// Lists and ends the sockets of the network namespace of the thread that opens it.
public struct SocketDiagnostics: ~Copyable, Sendable {
    private var netlink: NetlinkSocket

    /// Opens it in the calling thread's network namespace; it stays there.
    public init() throws(NetlinkError) {
        netlink = try NetlinkSocket(.socketDiagnostics)
    }

    /// The UDP sockets that `isIncluded` picks.
    ///
    /// - Complexity: O(n) in the number of UDP sockets of the namespace.
    public mutating func datagramSockets(
        where isIncluded: (DatagramSocket) -> Bool = { _ in true }
    ) throws(NetlinkError) -> [DatagramSocket] {
        var sockets: [DatagramSocket] = []
        for family in [AF_INET, AF_INET6] {
            let payload = Self.request(UInt8(family), [UInt8](repeating: 0, count: DatagramSocket.identifierSize))
            sockets += try netlink.dump(
                NetlinkRequest(type: UInt16(SOCK_DIAG_BY_FAMILY), payload: payload), "list UDP sockets"
            ) { DatagramSocket($0).flatMap { isIncluded($0) ? $0 : nil } }
        }
        return sockets
    }

    /// Whether the kernel can end UDP sockets: whether it has CONFIG_INET_DIAG_DESTROY and lists UDP sockets.
    public mutating func canDestroy() throws(NetlinkError) -> Bool {
        // A list that stops at nothing: without the kernel's part for UDP it is refused.
        _ = try datagramSockets { _ in false }
        do throws(NetlinkError) {
            _ = try destroy(DatagramSocket.nobody)
            return true
        } catch  where error.errno == .notSupported {
            return false
        }
    }

    /// Ends a socket: what its owner waits for, or does next with it, fails with ECONNABORTED.
    ///
    /// False when it is gone.
    ///
    /// Throws `Errno.notSupported` on kernels without CONFIG_INET_DIAG_DESTROY.
    @discardableResult
    public mutating func destroy(_ socket: DatagramSocket) throws(NetlinkError) -> Bool {
        do throws(NetlinkError) {
            try netlink.execute(
                NetlinkRequest(type: UInt16(SOCK_DESTROY), payload: Self.request(socket.family, socket.identifier)),
                "end the UDP socket that is connected to \(socket.remoteAddress)")
            return true
        } catch  where error.errno == .noEntry {
            return false
        }
    }

    /// `struct inet_diag_req_v2` of linux/inet_diag.h.
    private static func request(_ family: UInt8, _ identifier: [UInt8]) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(family)
        writer.append(UInt8(IPPROTO_UDP))
        writer.append(UInt16(0))
        writer.append(UInt32.max)
        writer.append(bytes: identifier)
        return writer
    }
}
