internal import CLinux
internal import Glibc
public import Linux

/// A subsystem of the kernel that speaks netlink.
public struct NetlinkFamily: RawRepresentable, Sendable, Hashable {
    /// The protocol number of the socket.
    public let rawValue: Int32

    /// Wraps a protocol number.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Links, addresses, routes, neighbours, rules.
    public static let route = NetlinkFamily(rawValue: NETLINK_ROUTE)
    /// Subsystems that are found by name.
    public static let generic = NetlinkFamily(rawValue: NETLINK_GENERIC)
    /// Sockets, as `ss` lists them.
    public static let socketDiagnostics = NetlinkFamily(rawValue: NETLINK_SOCK_DIAG)
    /// nftables and connection tracking.
    public static let netfilter = NetlinkFamily(rawValue: NETLINK_NETFILTER)
}

/// A netlink socket in the network namespace of the thread that opens it.
///
/// It stays in that namespace wherever it is used from. One user at a time: requests and their answers are in step.
public struct NetlinkSocket: ~Copyable, Sendable {
    /// The socket, for `poll`.
    public let descriptor: FileDescriptor
    private var sequence: UInt32 = 0
    private var sendBuffer = 212_992
    private static let receiveSize = 65_536

    /// Opens a socket.
    public init(_ family: NetlinkFamily) throws(NetlinkError) {
        descriptor = try Self.open(family)
    }

    private static func open(_ family: NetlinkFamily) throws(NetlinkError) -> FileDescriptor {
        let operation = "open netlink socket"
        let number = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), family.rawValue)
        guard number >= 0 else { throw NetlinkError(.last, operation) }
        let descriptor = FileDescriptor(owning: number)
        // Kernels without one of these still work, with less to say.
        setOption(number, SOL_NETLINK, NETLINK_EXT_ACK, 1)
        setOption(number, SOL_NETLINK, NETLINK_CAP_ACK, 1)
        setOption(number, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        setOption(number, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        var address = sockaddr_nl()
        address.nl_family = UInt16(AF_NETLINK)
        let bound = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe duet_bind(number, bytes.baseAddress, bytes.count)
        }
        guard bound == 0 else { throw NetlinkError(.last, operation) }
        return descriptor
    }

    /// The socket's port: notifications of what it asked for carry it.
    public var port: UInt32 {
        var address = sockaddr_nl()
        var size = socklen_t(MemoryLayout<sockaddr_nl>.size)
        _ = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            unsafe duet_getsockname(descriptor.rawValue, bytes.baseAddress, &size)
        }
        return address.nl_pid
    }

    /// Sends one request and waits for its end; returns the answers before it.
    @discardableResult
    public mutating func execute(
        _ request: NetlinkRequest, _ operation: @autoclosure () -> String
    ) throws(NetlinkError) -> [NetlinkReply] {
        let number = nextSequence()
        var bytes: [UInt8] = []
        request.encode(to: &bytes, flags: .acknowledge, sequence: number)
        try send(bytes, operation())
        var answers: [NetlinkReply] = []
        while true {
            for reply in try receive(operation()) where reply.sequence == number {
                guard reply.type == UInt16(NLMSG_ERROR) else {
                    answers.append(reply)
                    continue
                }
                if let error = NetlinkError(reply, operation()) { throw error }
                return answers
            }
        }
    }

    /// Sends several requests in one call and waits for the end of the last; returns the refusals, in order.
    ///
    /// The kernel serves each on its own and in order, also after one that it refused. `operation` names one by its index.
    public mutating func executeAll(
        _ requests: [NetlinkRequest], _ operation: (Int) -> String
    ) throws(NetlinkError) -> [NetlinkError] {
        guard !requests.isEmpty else { return [] }
        let first = reserveSequence(requests.count)
        var bytes: [UInt8] = []
        for (index, request) in requests.enumerated() {
            // A refusal is told in any case, and before the confirmation of the last.
            request.encode(
                to: &bytes, flags: index == requests.count - 1 ? .acknowledge : [],
                sequence: first &+ UInt32(truncatingIfNeeded: index))
        }
        try send(bytes, operation(0))
        var errors: [NetlinkError] = []
        while true {
            for reply in try receive(operation(0)) where reply.type == UInt16(NLMSG_ERROR) {
                let index = Int(Int32(truncatingIfNeeded: reply.sequence &- first))
                guard requests.indices.contains(index) else { continue }
                if let error = NetlinkError(reply, operation(index), index: index) { errors.append(error) }
                if index == requests.count - 1 { return errors }
            }
        }
    }

    /// Reads a list; what `transform` maps to `nil` is left out.
    ///
    /// When the list changes while the kernel walks it, it is read again from the start.
    public mutating func dump<Element>(
        _ request: NetlinkRequest, _ operation: @autoclosure () -> String,
        _ transform: (NetlinkReply) -> Element?
    ) throws(NetlinkError) -> [Element] {
        for _ in 0..<20 {
            let number = nextSequence()
            var bytes: [UInt8] = []
            request.encode(to: &bytes, flags: .dump, sequence: number)
            try send(bytes, operation())
            if let elements = try receiveList(number, operation(), transform) { return elements }
        }
        throw NetlinkError(.busy, operation(), message: "the list kept changing while it was read")
    }

    private func receiveList<Element>(
        _ number: UInt32, _ operation: String, _ transform: (NetlinkReply) -> Element?
    ) throws(NetlinkError) -> [Element]? {
        var elements: [Element] = []
        var interrupted = false
        while true {
            for reply in try receive(operation) where reply.sequence == number {
                if reply.flags.contains(.interrupted) { interrupted = true }
                switch Int32(reply.type) {
                case NLMSG_ERROR:
                    if let error = NetlinkError(reply, operation) { throw error }
                case NLMSG_DONE:
                    let code: Int32 = reply.payload.integer(at: 0)
                    if code == -EINTR { return nil }
                    if code < 0 {
                        throw NetlinkError(
                            code: code, operation,
                            reply.flags.contains(.errorAttributes) ? reply.attributes(after: 4) : nil)
                    }
                    return interrupted ? nil : elements
                default:
                    if let element = transform(reply) { elements.append(element) }
                }
            }
        }
    }

    /// Sends several messages in one call and gathers what the kernel has to say before the call returns.
    ///
    /// This is for subsystems that treat one send as one transaction (nfnetlink batches): they work synchronously, so
    /// every refusal waits in the socket afterwards. Messages carry sequence numbers from `first` on; an error's
    /// `index` is its message's distance from it.
    public mutating func exchangeBatch(_ bytes: [UInt8], first: UInt32) throws(NetlinkError) -> [NetlinkError] {
        let operation = "netlink batch"
        try reserve(bytes.count)
        try send(bytes, operation)
        var errors: [NetlinkError] = []
        while let replies = try receiveAvailable(operation) {
            for reply in replies where reply.type == UInt16(NLMSG_ERROR) {
                let index = Int(Int32(truncatingIfNeeded: reply.sequence &- first))
                if let error = NetlinkError(reply, operation, index: index) { errors.append(error) }
            }
        }
        return errors
    }

    /// A block of sequence numbers that no other request uses; returns the first.
    public mutating func reserveSequence(_ count: Int) -> UInt32 {
        let first = sequence &+ 1
        sequence &+= UInt32(truncatingIfNeeded: count)
        return first
    }

    /// Receives notifications of a group from now on.
    public func join(group: UInt32) throws(NetlinkError) {
        guard Self.setOption(descriptor.rawValue, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, Int32(group)) else {
            throw NetlinkError(.last, "join netlink group \(group)")
        }
    }

    /// Waits for messages; throws `Errno.noBufferSpace` when some were lost because nobody read them in time.
    public func receive(_ operation: @autoclosure () -> String = "receive") throws(NetlinkError) -> [NetlinkReply] {
        while true {
            if let replies = try receive(flags: 0, operation()) { return replies }
        }
    }

    /// The messages that wait already; `nil` when there are none.
    public func receiveAvailable(
        _ operation: @autoclosure () -> String = "receive"
    ) throws(NetlinkError) -> [NetlinkReply]? {
        try receive(flags: Int32(MSG_DONTWAIT), operation())
    }

    private mutating func nextSequence() -> UInt32 {
        reserveSequence(1)
    }

    private func send(_ bytes: [UInt8], _ operation: @autoclosure () -> String) throws(NetlinkError) {
        while true {
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(descriptor.rawValue, buffer.baseAddress, buffer.count, 0)
            }
            if sent >= 0 { return }
            guard Errno.last == .interrupted else { throw NetlinkError(.last, operation()) }
        }
    }

    private func receive(flags: Int32, _ operation: @autoclosure () -> String) throws(NetlinkError) -> [NetlinkReply]? {
        var count = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.receiveSize) { buffer, used in
            repeat {
                count = unsafe recv(
                    descriptor.rawValue, buffer.baseAddress, Self.receiveSize, flags | Int32(MSG_TRUNC))
            } while count < 0 && Errno.last == .interrupted
            used = max(0, min(count, Self.receiveSize))
        }
        if count < 0 {
            guard Errno.last != .wouldBlock else { return nil }
            throw NetlinkError(.last, operation())
        }
        guard count <= Self.receiveSize else {
            throw NetlinkError(.messageTooLong, operation(), message: "the kernel sent \(count) bytes at once")
        }
        return NetlinkReply.parse(bytes[...])
    }

    private mutating func reserve(_ count: Int) throws(NetlinkError) {
        guard count + 4096 > sendBuffer else { return }
        let size = Int32(clamping: count + 65_536)
        guard
            Self.setOption(descriptor.rawValue, SOL_SOCKET, SO_SNDBUFFORCE, size)
                || Self.setOption(descriptor.rawValue, SOL_SOCKET, SO_SNDBUF, size)
        else { throw NetlinkError(.last, "enlarge the send buffer to \(size) bytes") }
        sendBuffer = Int(size)
    }

    @discardableResult
    private static func setOption(_ socket: Int32, _ level: Int32, _ name: Int32, _ value: Int32) -> Bool {
        var value = value
        return unsafe setsockopt(socket, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) == 0
    }
}
