public import Netlink

/// Links, addresses and routes of the network namespace of the thread that opens the socket.
public struct RouteSocket: ~Copyable, Sendable {
    var netlink: NetlinkSocket

    /// Opens a socket in the calling thread's network namespace; it stays there.
    public init() throws(NetlinkError) {
        netlink = try NetlinkSocket(.route)
    }

    /// The socket's port, which `RouteChange.port` names for what it asked for.
    public var port: UInt32 {
        netlink.port
    }
}
