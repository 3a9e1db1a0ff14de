package import Addresses
internal import Linux
package import Netlink
internal import RouteNetlink

/// Why a destination has no route, or a wrong one.
package struct RouteFailure: Error, CustomStringConvertible {
    /// The block of pod addresses.
    package let destination: IPPrefix
    /// What is in the way.
    package let reason: String

    /// The destination and what is in the way.
    package var description: String {
        "no route to the pods of \(destination): \(reason)"
    }
}

/// Makes the kernel's routes of Duet's protocol number what a plan says; all other routes are left alone.
package struct RouteReconciler: ~Copyable {
    private var socket: RouteSocket
    private var installed: [IPPrefix: Route] = [:]

    /// Works in the network namespace of the calling thread.
    package init() throws(NetlinkError) {
        socket = try RouteSocket()
    }

    /// Reads the routes that are there.
    package mutating func adopt() throws(NetlinkError) {
        installed = [:]
        for family in IPFamily.allCases {
            for route in try socket.routes(family, table: Route.mainTable, protocol: .duet) {
                installed[route.destination] = route
            }
        }
    }

    /// Reads the routes that are there and makes all of them what the plan says.
    package mutating func audit(_ plan: RoutePlan) throws(NetlinkError) -> [RouteFailure] {
        try adopt()
        return apply(plan, to: plan.destinations.union(installed.keys))
    }

    /// Makes the routes to some destinations what the plan says; returns those where that failed.
    package mutating func apply(_ plan: RoutePlan, to destinations: Set<IPPrefix>) -> [RouteFailure] {
        var failures: [RouteFailure] = []
        for destination in destinations.sorted() {
            do throws(RouteFailure) {
                if let gateway = plan.gateway(to: destination) {
                    try install(destination, gateway)
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

    /// The largest packet in bytes of the link that has one of the addresses; `nil` when none has.
    package mutating func mtu(ofLinkWith addresses: [IPAddress]) throws(NetlinkError) -> Int? {
        guard let entry = try socket.addresses().first(where: { addresses.contains($0.address.address) }) else {
            return nil
        }
        return try socket.link(at: entry.interface)?.mtu
    }

    private mutating func install(_ destination: IPPrefix, _ gateway: IPAddress) throws(RouteFailure) {
        do throws(NetlinkError) {
            guard let way = try socket.route(to: gateway) else {
                throw NetlinkError(.networkUnreachable, "reach node \(gateway)")
            }
            guard way.gateway == nil, let interface = way.interface else {
                throw NetlinkError(
                    .networkUnreachable, "reach node \(gateway)",
                    message: "it is behind another router; Duet needs nodes that share a link")
            }
            // The same metric in both families: IPv6 would make 1024 of zero and never read back as it was written.
            let route = Route(
                destination: destination, gateway: gateway, interface: interface, protocol: .duet, metric: 1024)
            let present = installed[destination]
            guard present != route else { return }
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
            try socket.deleteRoute(route)
        } catch  where error.errno == .noProcess {
            // Somebody else, or the link's end, removed it.
        } catch {
            throw RouteFailure(destination: destination, reason: "\(error)")
        }
        installed[destination] = nil
    }
}
