internal import Addresses
internal import Linux
internal import RouteNetlink

/// Lets the kernel pass packets on between pods, nodes and the outside.
package enum Forwarding {
    private static let switches: [IPFamily: String] = [
        .ipv4: "net/ipv4/ip_forward", .ipv6: "net/ipv6/conf/all/forwarding",
    ]

    /// Turns forwarding on for each family that the kernel has.
    package static func enable() throws {
        try enable(onlyWhereOff: false)
    }

    /// Turns forwarding on again where somebody has turned it off; whether anybody had.
    package static func keep() throws -> Bool {
        try enable(onlyWhereOff: true)
    }

    @discardableResult
    private static func enable(onlyWhereOff: Bool) throws -> Bool {
        var wasOff = false
        for (_, name) in switches.sorted(by: { $0.key < $1.key }) where Sysctl.exists(name) {
            let isOff = try Sysctl.get(name) == "0"
            guard isOff || !onlyWhereOff else { continue }
            wasOff = wasOff || isOff
            // Where it is on already somebody may have meant uplinks to listen to no router.
            try keepRouterAdvertisements(onlyWhereLearned: !isOff)
            if isOff { try Sysctl.set(name, "1") }
        }
        return wasOff
    }

    // A kernel that forwards IPv6 ignores router advertisements unless told otherwise (ip-sysctl, accept_ra = 2): a node
    // that has its default route from one would lose it. Only links to routers: a pod must not be able to advertise.
    private static func keepRouterAdvertisements(onlyWhereLearned: Bool) throws {
        var socket = try RouteSocket()
        var uplinks: Set<Int32> = []
        for family in IPFamily.allCases {
            for route in try socket.routes(family, table: Route.mainTable) {
                guard let interface = route.interface,
                    route.protocol == .routerAdvertisement || (route.destination.length == 0 && !onlyWhereLearned)
                else { continue }
                uplinks.insert(interface)
            }
        }
        for interface in uplinks {
            guard let link = try socket.link(at: interface) else { continue }
            let parameter = "net/ipv6/conf/\(link.name)/accept_ra"
            if Sysctl.exists(parameter), try Sysctl.get(parameter) == "1" { try Sysctl.set(parameter, "2") }
        }
    }
}
