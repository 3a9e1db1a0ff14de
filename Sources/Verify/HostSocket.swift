internal import Addresses
internal import Glibc
internal import Linux

/// A connected socket of this machine whose every call ends within a time limit.
struct HostSocket: ~Copyable {
    private let descriptor: FileDescriptor

    /// Connects to an address; for a datagram socket this only fixes the peer.
    static func connected(
        to address: IPAddress, port: UInt16, datagrams: Bool = false, timeoutSeconds: Int
    ) throws(SystemError) -> HostSocket {
        let context = "\(address.uriHost):\(port)"
        let kind = Int32((datagrams ? SOCK_DGRAM : SOCK_STREAM).rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(SocketAddress.domain(of: address.family), kind, 0)
        guard number >= 0 else { throw SystemError(Errno(rawValue: errno), "open socket", context) }
        let descriptor = FileDescriptor(owning: number)
        // On Linux the time limit for sending also holds for connect(2): socket(7).
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        for option in [SO_SNDTIMEO, SO_RCVTIMEO] {
            let size = socklen_t(MemoryLayout<timeval>.size)
            guard setsockopt(number, SOL_SOCKET, option, &limit, size) == 0 else {
                throw SystemError(Errno(rawValue: errno), "set time limit", context)
            }
        }
        let status = SocketAddress.withBytes(of: address, port: port) { connect(number, $0, $1) }
        guard status == 0 else {
            // EINPROGRESS is how connect(2) says that the time is up.
            let reason = errno == EINPROGRESS ? ETIMEDOUT : errno
            throw SystemError(Errno(rawValue: reason), "connect to", context)
        }
        return HostSocket(descriptor: descriptor)
    }

    /// Sends all bytes, to a datagram peer as one datagram.
    func send(_ bytes: [UInt8]) throws(SystemError) {
        try descriptor.write(bytes)
    }

    /// The next bytes; empty at the end of the stream.
    func receive(upTo count: Int = 65_536) throws(SystemError) -> [UInt8] {
        try descriptor.read(upTo: count)
    }
}

/// Addresses as the socket calls take them.
private enum SocketAddress {
    static func domain(of family: IPFamily) -> Int32 {
        switch family {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        }
    }

    static func withBytes<Value>(
        of address: IPAddress, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Value
    ) -> Value {
        var storage = sockaddr_storage()
        let size: Int
        switch address {
        case .v4(let value):
            size = MemoryLayout<sockaddr_in>.size
            withUnsafeMutableBytes(of: &storage) { bytes in
                let address = sockaddr_in(
                    sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian,
                    sin_addr: in_addr(s_addr: value.rawValue.bigEndian), sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
                bytes.storeBytes(of: address, as: sockaddr_in.self)
            }
        case .v6(let value):
            size = MemoryLayout<sockaddr_in6>.size
            withUnsafeMutableBytes(of: &storage) { bytes in
                var address = sockaddr_in6()
                address.sin6_family = sa_family_t(AF_INET6)
                address.sin6_port = port.bigEndian
                withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyBytes(from: IPAddress.v6(value).bytes) }
                bytes.storeBytes(of: address, as: sockaddr_in6.self)
            }
        }
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(size)) }
        }
    }
}
