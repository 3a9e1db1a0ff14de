public import Addresses
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
        /// Whether packets of a family are passed on between links; never removed.
        case packetForwarding(IPFamily, isOn: Bool)
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
        case RTM_NEWNETCONF:
            guard let forwarding = Object(settings: reply) else { return nil }
            object = forwarding
        default: return nil
        }
    }
}

extension RouteChange.Object {
    private static let settingsHeaderSize = 4

    /// Reads the settings of all links (`struct netconfmsg` of linux/netconf.h, of which the family is all); `nil` for those of one
    /// link, and of other families.
    fileprivate init?(settings reply: NetlinkReply) {
        let attributes = reply.attributes(after: Self.settingsHeaderSize)
        guard let family = IPFamily(socketFamily: reply.payload.integer(at: 0)),
            attributes[Int(NETCONFA_IFINDEX)]?.integer(as: Int32.self) == Int32(NETCONFA_IFINDEX_ALL),
            let forwarding = attributes[Int(NETCONFA_FORWARDING)]?.integer(as: Int32.self)
        else { return nil }
        self = .packetForwarding(family, isOn: forwarding != 0)
    }
}

/// Hears of every change of links, addresses, routes and neighbours in a network namespace, and of its forwarding.
public struct RouteMonitor: ~Copyable, Sendable {
    private let netlink: NetlinkSocket

    /// Listens in the calling thread's network namespace; it stays there.
    public init() throws(NetlinkError) {
        let netlink = try NetlinkSocket(.route)
        for group in [
            RTNLGRP_LINK, RTNLGRP_NEIGH, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
            RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
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
