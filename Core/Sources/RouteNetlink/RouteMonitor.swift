internal import CLinux
internal import Glibc
internal import Linux
public import Netlink

/// Something that changed in a network namespace.
public struct RouteChange: Sendable, Hashable {
    /// What changed.
    public enum Object: Sendable, Hashable {
        /// A link.
        case link(Link)
        /// An address of a link.
        case address(AddressEntry)
        /// A unicast route.
        case route(Route)
        /// A neighbour of the link.
        case neighbour(interface: Int32)
        /// A lasting forwarding entry of a tunnel link; the kernel never tells whose socket asked for it.
        case forwarding(ForwardingEntry)
    }

    /// The object's state now, or what it was when it is removed.
    public let object: Object
    /// Whether the object is gone.
    public let isRemoval: Bool
    /// The port of the socket that asked for the change; zero when the kernel did it by itself.
    public let port: UInt32

    /// Describes a change.
    public init(_ object: Object, isRemoval: Bool, port: UInt32 = 0) {
        self.object = object
        self.isRemoval = isRemoval
        self.port = port
    }

    /// Reads a notification; `nil` for those of other objects.
    init?(_ reply: NetlinkReply) {
        let removals = [RTM_DELLINK, RTM_DELADDR, RTM_DELROUTE, RTM_DELNEIGH]
        isRemoval = removals.contains(Int(reply.type))
        port = reply.port
        switch Int(reply.type) {
        case RTM_NEWLINK, RTM_DELLINK:
            guard let link = Link(reply) else { return nil }
            object = .link(link)
        case RTM_NEWADDR, RTM_DELADDR:
            guard let address = AddressEntry(reply) else { return nil }
            object = .address(address)
        case RTM_NEWROUTE, RTM_DELROUTE:
            guard let route = Route(reply) else { return nil }
            object = .route(route)
        case RTM_NEWNEIGH, RTM_DELNEIGH:
            object =
                ForwardingEntry(reply).map { .forwarding($0) }
                ?? .neighbour(interface: NeighbourHeader.interface(reply))
        default: return nil
        }
    }
}

/// Hears of every change of links, addresses, routes and neighbours in a network namespace.
public struct RouteMonitor: ~Copyable, Sendable {
    private let netlink: NetlinkSocket

    /// Listens in the calling thread's network namespace; it stays there.
    public init() throws(NetlinkError) {
        let netlink = try NetlinkSocket(.route)
        for group in [
            RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
            RTNLGRP_IPV6_ROUTE,
        ] {
            try netlink.join(group: group.rawValue)
        }
        self.netlink = netlink
    }

    /// The socket, to wait for: it is readable when there are changes.
    public var descriptor: Int32 {
        netlink.descriptor.rawValue
    }

    /// The changes that wait already.
    ///
    /// Throws `Errno.noBufferSpace` when some were lost: then everything may have changed.
    public func available() throws(NetlinkError) -> [RouteChange] {
        var changes: [RouteChange] = []
        while let replies = try netlink.receiveAvailable("hear of changes of links, addresses and routes") {
            changes += replies.compactMap(RouteChange.init)
        }
        return changes
    }
}
