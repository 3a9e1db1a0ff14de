internal import Addresses
internal import CLinux
internal import Glibc
internal import Linux
public import Netlink

extension RouteSocket {
    /// The lasting entries of a link's neighbour table, of both families.
    public mutating func neighbours(_ interface: Int32) throws(NetlinkError) -> [Neighbour] {
        var entries: [Neighbour] = []
        for family in IPFamily.allCases {
            var payload = NeighbourHeader.encode(family: family.socketFamily, state: 0)
            payload.attribute(Int(NDA_IFINDEX), interface)
            entries += try netlink.dump(
                NetlinkRequest(type: UInt16(RTM_GETNEIGH), payload: payload), "list neighbours of link \(interface)",
                Neighbour.init
            ).filter { $0.interface == interface }
        }
        return entries
    }

    /// Adds a neighbour in place of one with the same address.
    public mutating func replaceNeighbour(_ neighbour: Neighbour) throws(NetlinkError) {
        try change(
            RTM_NEWNEIGH, neighbour.encode(), "set neighbour \(neighbour.address) of link \(neighbour.interface)")
    }

    /// Removes a neighbour; one that is not there throws `Errno.noEntry`.
    public mutating func deleteNeighbour(_ neighbour: Neighbour) throws(NetlinkError) {
        try change(
            RTM_DELNEIGH, neighbour.encode(), "delete neighbour \(neighbour.address) of link \(neighbour.interface)")
    }

    /// The lasting entries of a tunnel link's forwarding table.
    public mutating func forwardingEntries(_ interface: Int32) throws(NetlinkError) -> [ForwardingEntry] {
        let payload = NeighbourHeader.encode(family: UInt8(AF_BRIDGE), interface: interface, state: 0)
        return try netlink.dump(
            NetlinkRequest(type: UInt16(RTM_GETNEIGH), payload: payload),
            "list forwarding entries of link \(interface)", ForwardingEntry.init
        ).filter { $0.interface == interface }
    }

    /// Adds an entry in place of one for the same station.
    public mutating func replaceForwardingEntry(_ entry: ForwardingEntry) throws(NetlinkError) {
        try change(RTM_NEWNEIGH, entry.encode(), "set forwarding of \(entry.mac) on link \(entry.interface)")
    }

    /// Removes an entry; one that is not there throws `Errno.noEntry`.
    public mutating func deleteForwardingEntry(_ entry: ForwardingEntry) throws(NetlinkError) {
        try change(RTM_DELNEIGH, entry.encode(), "delete forwarding of \(entry.mac) on link \(entry.interface)")
    }

    private mutating func change(
        _ type: Int, _ payload: NetlinkWriter, _ operation: String
    ) throws(NetlinkError) {
        let flags: NetlinkFlags = type == RTM_NEWNEIGH ? [.create, .replace] : []
        try netlink.execute(NetlinkRequest(type: UInt16(type), flags: flags, payload: payload), operation)
    }
}
