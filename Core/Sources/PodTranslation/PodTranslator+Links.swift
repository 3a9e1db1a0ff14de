public import Addresses
public import Netlink
public import RouteNetlink

extension PodTranslator {
    /// Puts the programs on the host's end of a pod's link unless they are there.
    ///
    /// - Returns: whether they had to be put there.
    public func ensureAttached(to link: Int32, _ socket: inout RouteSocket) throws(NetlinkError) -> Bool {
        let own = Set((try? identifiers()) ?? [])
        for direction in ProgramFilter.Direction.allCases {
            guard try socket.programFilters(link, direction).contains(where: { own.contains($0.program) }) else {
                try attach(to: link, &socket)
                return true
            }
        }
        return false
    }

    /// Whether programs of a translator, of this process or another, are on a link.
    public static func isAttached(to link: Int32, _ socket: inout RouteSocket) throws(NetlinkError) -> Bool {
        for direction in ProgramFilter.Direction.allCases {
            let names = try socket.programFilters(link, direction).map(\.filter.name)
            if names.contains(filter(direction).name) { return true }
        }
        return false
    }

    /// The route to a pod's private IPv4 address: to where its IPv6 address leads, with room for the longer header.
    public static func route(to ipv4: IPv4Address, by gateway: IPAddress, through link: Link) -> Route {
        Route(
            destination: IPPrefix(.v4(ipv4), length: 32), gateway: gateway, interface: link.index,
            protocol: .duetTranslation, mtu: link.mtu - headerDifference, isOnLink: true)
    }

    /// By how many bytes the header of IPv6 is longer.
    private static let headerDifference = 20
}

extension Route {
    /// Whether it leads to the same place the same way as another one.
    public func leads(as other: Route) -> Bool {
        destination == other.destination && interface == other.interface && gateway == other.gateway
    }
}
