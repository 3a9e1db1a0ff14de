public import Addresses
internal import CLinux
internal import Glibc
internal import Linux
public import Netlink

extension RouteSocket {
    /// The unicast routes of a family, of one table and one protocol where these are given; one with several next hops is
    /// a route for each.
    public mutating func routes(
        _ family: IPFamily, table: UInt32? = nil, protocol: RouteProtocol? = nil
    ) throws(NetlinkError) -> [Route] {
        var payload = Route.header(family: family, protocol: `protocol`)
        if let table { payload.attribute(Int(RTA_TABLE.rawValue), table) }
        do throws(NetlinkError) {
            // Kernels before 4.20 do not filter, so the answer is checked again.
            return try netlink.dump(
                NetlinkRequest(type: UInt16(RTM_GETROUTE), payload: payload), "list \(family) routes"
            ) { reply -> [Route]? in
                guard let route = Route(reply), table == nil || route.table == table,
                    `protocol` == nil || route.protocol == `protocol`
                else { return nil }
                return route.ways(reply)
            }.flatMap(\.self)
        } catch  where error.errno == .noEntry {
            // A table comes into being with its first route.
            return []
        }
    }

    /// The route that a packet to `address` takes, by a certain link if one is given; `nil` when there is none.
    public mutating func route(to address: IPAddress, interface: Int32? = nil) throws(NetlinkError) -> Route? {
        var payload = Route.header(family: address.family, length: address.family.bitWidth)
        payload.attribute(Int(RTA_DST.rawValue), bytes: address.bytes)
        if let interface { payload.attribute(Int(RTA_OIF.rawValue), interface) }
        do throws(NetlinkError) {
            return try netlink.execute(
                NetlinkRequest(type: UInt16(RTM_GETROUTE), payload: payload), "look up route to \(address)"
            ).lazy.compactMap(Route.init).first
        } catch  where error.errno == .networkUnreachable {
            return nil
        }
    }

    /// Adds a route; one to the same destination with the same metric throws `Errno.exists`.
    public mutating func addRoute(_ route: Route) throws(NetlinkError) {
        try netlink.execute(Self.addition(of: route), "add route \(route)")
    }

    static func addition(of route: Route, beside others: Bool = false) -> NetlinkRequest {
        NetlinkRequest(
            type: UInt16(RTM_NEWROUTE), flags: others ? .create : [.create, .exclusive], payload: route.encode())
    }

    /// Adds a route in place of one to the same destination with the same metric.
    public mutating func replaceRoute(_ route: Route) throws(NetlinkError) {
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_NEWROUTE), flags: [.create, .replace], payload: route.encode()),
            "replace route \(route)")
    }

    /// Deletes a route; one that is not there throws `Errno.noProcess`.
    public mutating func deleteRoute(_ route: Route) throws(NetlinkError) {
        try netlink.execute(
            NetlinkRequest(type: UInt16(RTM_DELROUTE), payload: route.encode()), "delete route \(route)")
    }
}
