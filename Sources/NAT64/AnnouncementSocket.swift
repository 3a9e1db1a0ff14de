import Glibc
import Linux

/// Speaks as a router to the hosts of one link (RFC 4861).
struct AnnouncementSocket: ~Copyable {
    private let descriptor: FileDescriptor
    private let index: UInt32

    private static let solicitation = 133
    private static let allNodes: [UInt8] = group(1)
    private static let allRouters: [UInt8] = group(2)
    /// ICMP6_FILTER of linux/icmpv6.h.
    private static let filter: Int32 = 1
    /// The hop limit by which hosts know that a message comes from their link.
    private static let hopLimit: Int32 = 255

    /// Opens a socket at a link; throws when there is none of this name.
    init(link: String) throws(SystemError) {
        let index = if_nametoindex(link)
        guard index != 0 else { throw SystemError(.last, "find link", link) }
        let flags = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let number = socket(AF_INET6, flags, Int32(IPPROTO_ICMPV6))
        guard number >= 0 else { throw SystemError(.last, "open ICMPv6 socket") }
        let descriptor = FileDescriptor(owning: number)
        func set(
            _ level: Int32, _ option: Int32, _ value: [some BitwiseCopyable], _ operation: String
        ) throws(SystemError) {
            let status = value.withUnsafeBytes {
                setsockopt(number, level, option, $0.baseAddress, socklen_t($0.count))
            }
            guard status == 0 else { throw SystemError(.last, operation, link) }
        }
        // Of all messages those of hosts that ask; a bit that is set keeps a type out.
        var blocked = [UInt32](repeating: .max, count: 8)
        blocked[Self.solicitation / 32] &= ~(1 << UInt32(Self.solicitation % 32))
        try set(Int32(IPPROTO_ICMPV6), Self.filter, blocked, "listen to solicitations")
        try set(SOL_SOCKET, SO_BINDTODEVICE, Array(link.utf8), "bind to link")
        try set(Int32(IPPROTO_IPV6), IPV6_MULTICAST_HOPS, [Self.hopLimit], "set hop limit")
        try set(Int32(IPPROTO_IPV6), IPV6_MULTICAST_LOOP, [Int32(0)], "send to others only")
        // `struct ipv6_mreq` of linux/in6.h.
        let membership = Self.allRouters + withUnsafeBytes(of: index) { Array($0) }
        try set(Int32(IPPROTO_IPV6), IPV6_JOIN_GROUP, membership, "join all routers")
        self.descriptor = descriptor
        self.index = index
    }

    /// Whether a host has asked since the last call.
    ///
    /// From where does not matter: the answer goes to the link, and seldom.
    func isSolicited() -> Bool {
        var isSolicited = false
        var buffer = [UInt8](repeating: 0, count: 64)
        while recv(descriptor.rawValue, &buffer, buffer.count, 0) > 0 { isSolicited = true }
        return isSolicited
    }

    /// Sends a message to all hosts of the link.
    func send(_ message: [UInt8]) throws(SystemError) {
        var target = sockaddr_in6()
        target.sin6_family = sa_family_t(AF_INET6)
        target.sin6_scope_id = index
        withUnsafeMutableBytes(of: &target.sin6_addr) { $0.copyBytes(from: Self.allNodes) }
        let size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let sent = withUnsafePointer(to: target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(descriptor.rawValue, message, message.count, 0, $0, size)
            }
        }
        guard sent == message.count else { throw SystemError(.last, "send Router Advertisement") }
    }

    /// The address of a group of the link: ff02::n.
    private static func group(_ number: UInt8) -> [UInt8] {
        [0xFF, 0x02] + [UInt8](repeating: 0, count: 13) + [number]
    }
}
