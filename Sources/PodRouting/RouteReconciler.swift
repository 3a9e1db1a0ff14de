package import Addresses
internal import Linux
package import Netlink
internal import RouteNetlink

/// Makes the kernel's routes of Duet's protocol number what a plan says; all other routes are left alone.
package struct RouteReconciler: ~Copyable {
    private var socket: RouteSocket
    private var installed: [IPPrefix: Route] = [:]

    /// The same metric in both families: IPv6 would make 1024 of zero and never read back as it was written.
    private static let metric: UInt32 = 1024

    /// Works in the network namespace of the calling thread.
    package init() throws(NetlinkError) {
        socket = try RouteSocket()
    }

    /// The port that notifications of its own changes carry.
    package var port: UInt32 {
        socket.port
    }

    /// Reads the routes that are there.
    package mutating func adopt() throws(NetlinkError) {
        installed = [:]
        for family in IPFamily.allCases {
            for table in [Route.mainTable, RoutePolicy.translatedTable] {
                for route in try socket.routes(family, table: table, protocol: .duet) {
                    guard installed[route.destination] != nil else {
                        installed[route.destination] = route
                        continue
                    }
                    // There is one way to a destination: somebody has added another with Duet's number.
                    try delete(route)
                }
            }
        }
    }

    /// Reads the routes that are there and makes all of them what the plan says.
    package mutating func audit(_ plan: RoutePlan, links: [Tunnel: Int32]) throws(NetlinkError) -> [RouteFailure] {
        try adopt()
        return apply(plan, to: plan.destinations.union(installed.keys), links: links)
    }

    /// Makes the routes to some destinations what the plan says; returns those where that failed.
    ///
    /// - Parameter links: the tunnel links that stand; routes through others fail.
    package mutating func apply(
        _ plan: RoutePlan, to destinations: Set<IPPrefix>, links: [Tunnel: Int32]
    ) -> [RouteFailure] {
        var failures: [RouteFailure] = []
        for destination in destinations.sorted() {
            do throws(RouteFailure) {
                if let route = plan.route(to: destination) {
                    try install(route, links)
                } else {
                    try remove(destination)
                }
            } catch {
                failures.append(error)
            }
        }
        return failures
    }

    /// The destinations that have a route of Duet.
    package var destinations: Set<IPPrefix> {
        Set(installed.keys)
    }

    /// Forgets the routes through a link that is gone; the kernel has removed them.
    package mutating func forgetRoutes(through interface: Int32) -> Set<IPPrefix> {
        let lost = installed.values.filter { $0.interface == interface }.map(\.destination)
        for destination in lost { installed[destination] = nil }
        return Set(lost)
    }

    private mutating func install(_ planned: PlannedRoute, _ links: [Tunnel: Int32]) throws(RouteFailure) {
        let destination = planned.destination
        let route: Route
        switch planned.hop {
        case .link(let interface, let gateway):
            route = Route(
                destination: destination, gateway: gateway, interface: interface, source: planned.source,
                protocol: .duet, table: planned.table, metric: Self.metric)
        case .tunnel(let tunnel, let gateway):
            guard let interface = links[tunnel] else {
                throw RouteFailure(
                    destination: destination, reason: "the link \(tunnel.linkName) that leads there does not stand")
            }
            // An IPv6 gateway is link-local, and on the link without being said to be.
            route = Route(
                destination: destination, gateway: gateway, interface: interface, source: planned.source,
                protocol: .duet, table: planned.table, metric: Self.metric, isOnLink: gateway?.family == .ipv4)
        }
        let present = installed[destination]
        guard present != route else { return }
        do throws(NetlinkError) {
            try socket.replaceRoute(route)
            installed[destination] = route
            if let present, present.metric != route.metric { try socket.deleteRoute(present) }
        } catch {
            throw RouteFailure(destination: destination, reason: "\(error)")
        }
    }

    private mutating func remove(_ destination: IPPrefix) throws(RouteFailure) {
        guard let route = installed[destination] else { return }
        do throws(NetlinkError) {
            try delete(route)
        } catch {
            throw RouteFailure(destination: destination, reason: "\(error)")
        }
        installed[destination] = nil
    }

    private mutating func delete(_ route: Route) throws(NetlinkError) {
        do throws(NetlinkError) {
            try socket.deleteRoute(route)
        } catch {
            // Somebody else, or the link's end, may have removed it.
            guard error.errno == .noProcess else { throw error }
        }
    }

    /// The routes that stand but do not count, since one of another program goes before them.
    ///
    /// These are left alone, as all that is not Duet's. A lookup for each destination takes some microseconds.
    package mutating func superseded() -> [RouteFailure] {
        var failures: [RouteFailure] = []
        for (destination, route) in installed.sorted(by: { $0.key < $1.key }) where route.table == Route.mainTable {
            // One that forbids the way is an error of the lookup.
            let way = (try? socket.route(to: destination.first)) ?? nil
            guard way?.interface != route.interface || way?.gateway != route.gateway else { continue }
            failures.append(
                RouteFailure(
                    destination: destination,
                    reason: "the one of Duet stands (\(route)), but another program's goes before it: see "
                        + "`ip route get \(destination.first)`"))
        }
        return failures
    }
}
