public import Addresses
public import Netlink

extension RouteSocket {
    /// The address under which others know this machine: the first global one on the interface of the default route.
    ///
    /// `nil` when the family has no default route or its interface no such address. Temporary and deprecated addresses
    /// of IPv6 are never taken: they change.
    public mutating func primaryAddress(_ family: IPFamily) throws(NetlinkError) -> IPAddress? {
        let defaults = try routes(family, table: Route.mainTable).filter { $0.destination.length == 0 }
        guard let interface = defaults.min(by: { $0.metric < $1.metric })?.interface else { return nil }
        return try addresses(interface).first { $0.address.address.family == family && $0.isLasting }?.address.address
    }
}
