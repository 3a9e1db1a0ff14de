internal import Addresses
internal import BPF
internal import Linux
internal import Netlink
internal import PodRouting
internal import PodTranslation
internal import RouteNetlink

/// What stands at the links of pods: the programs, and the routes to private addresses.
struct PodLinks: ~Copyable {
    private var socket: RouteSocket
    private let range: IPPrefix

    /// Works in the network namespace of the calling thread.
    init(range: IPPrefix) throws(NetlinkError) {
        socket = try RouteSocket()
        self.range = range
    }

    /// By which this value's own changes are known.
    var port: UInt32 { socket.port }

    /// The host's end of a pod's link; nil where the pod has none, or shares one with others.
    ///
    /// Pods of a bridge are translated for in userspace.
    mutating func link(of pod: IPv6Address) throws(NetlinkError) -> Link? {
        guard let way = try socket.route(to: .v6(pod)), way.gateway == nil, let index = way.interface,
            let link = try socket.link(at: index), link.kind == "veth", link.peerNamespace != nil
        else { return nil }
        return link
    }

    /// Makes a pod's link what it has to be, and takes away what only a former state of the pod wanted.
    ///
    /// The program stands before the route that leads to it.
    mutating func apply(_ pod: TranslatedPod, former: TranslatedPod?, _ kernel: KernelTranslator?) throws {
        try removeRoutes(to: Set(former?.privateAddresses ?? []).subtracting(pod.privateAddresses))
        guard let link = try link(of: pod.ipv6) else { return }
        // Whatever stands in their place is replaced.
        _ = try apply(pod, link, [], kernel)
    }

    private mutating func apply(
        _ pod: TranslatedPod, _ link: Link, _ present: [Route], _ kernel: KernelTranslator?
    ) throws(NetlinkError) -> [String] {
        var changes: [String] = []
        let isAttached = kernel != nil && pod.translated != nil
        if isAttached, let kernel {
            if try kernel.ensureAttached(to: link.index, &socket) { changes.append("programs at \(link.name)") }
        } else if try PodTranslator.isAttached(to: link.index, &socket) {
            try PodTranslator.detach(from: link.index, &socket)
            changes.append("no programs at \(link.name)")
        }
        for route in wanted(pod, link, isAttached: isAttached)
        where !present.contains(where: { $0.leads(as: route) }) {
            try socket.replaceRoute(route)
            changes.append("route \(route)")
        }
        return changes
    }

    /// The routes that lead past the device, which the whole range is routed into.
    private func wanted(_ pod: TranslatedPod, _ link: Link, isAttached: Bool) -> [Route] {
        var routes: [Route] = []
        if let address = pod.translated, isAttached {
            routes.append(PodTranslator.route(to: address, by: .v6(pod.ipv6), through: link))
        }
        if let address = pod.clat {
            routes.append(
                Route(
                    destination: IPPrefix(.v4(address), length: 32), gateway: .v6(pod.ipv6), interface: link.index,
                    protocol: .duetTranslation, isOnLink: true))
        }
        return routes
    }

    /// Takes away what stands because of a pod.
    mutating func remove(_ pod: TranslatedPod) throws(NetlinkError) {
        if let link = try link(of: pod.ipv6) { try PodTranslator.detach(from: link.index, &socket) }
        try removeRoutes(to: Set(pod.privateAddresses))
    }

    /// Compares everything, and repairs it; says what had to be done.
    mutating func audit(_ pods: [TranslatedPod], _ kernel: KernelTranslator?) throws -> [String] {
        var changes: [String] = []
        var links: Set<Int32> = []
        var destinations: Set<IPAddress> = []
        let routes = try socket.routes(.ipv4, table: Route.mainTable, protocol: .duetTranslation)
        for pod in pods {
            guard let link = try link(of: pod.ipv6) else { continue }
            changes += try apply(pod, link, routes, kernel)
            links.insert(link.index)
            destinations.formUnion(wanted(pod, link, isAttached: kernel != nil).map(\.destination.address))
        }
        for link in try socket.links() where link.kind == "veth" && !links.contains(link.index) {
            guard try PodTranslator.isAttached(to: link.index, &socket) else { continue }
            try PodTranslator.detach(from: link.index, &socket)
            changes.append("no programs at \(link.name)")
        }
        let range = range
        try removeRoutes { range.contains($0) && !destinations.contains($0) }
        return changes
    }

    /// Takes everything away, and the routes to some addresses.
    mutating func removeAll(_ addresses: Set<IPv4Address>) throws(NetlinkError) {
        for link in try socket.links() where link.kind == "veth" {
            try PodTranslator.detach(from: link.index, &socket)
        }
        try removeRoutes { destination in
            guard case .v4(let address) = destination else { return false }
            return addresses.contains(address)
        }
    }

    /// Removes the routes past the device to some addresses, without looking at those to others.
    mutating func removeRoutes(to addresses: some Sequence<IPv4Address>) throws(NetlinkError) {
        for address in addresses {
            do throws(NetlinkError) {
                try socket.deleteRoute(
                    Route(
                        destination: IPPrefix(.v4(address), length: 32), protocol: .duetTranslation, scope: .universe))
            } catch {
                // There is none where the device has the pod, and where it went with its link.
                guard error.errno == .noProcess else { throw error }
            }
        }
    }

    private mutating func removeRoutes(_ isSurplus: (IPAddress) -> Bool) throws(NetlinkError) {
        for route in try socket.routes(.ipv4, table: Route.mainTable, protocol: .duetTranslation)
        where route.destination.length == 32 && route.gateway?.family == .ipv6 && isSurplus(route.destination.address) {
            do throws(NetlinkError) {
                try socket.deleteRoute(route)
            } catch {
                // It went with its link meanwhile.
                guard error.errno == .noProcess || error.errno == .noDevice else { throw error }
            }
        }
    }

    /// Leads packets from pods' private addresses to the table with the way to the node's gateway, and nowhere else while there
    /// is none; or lets them go as all others do.
    ///
    /// - Returns: whether anything had to be done.
    @discardableResult
    mutating func keepGatewayRules(_ areWanted: Bool) throws(NetlinkError) -> Bool {
        let wanted =
            areWanted
            ? [
                RoutingRule(
                    priority: Self.gatewayPriority, source: range, action: .lookUp(table: RoutePolicy.translatedTable),
                    protocol: .duetTranslation),
                RoutingRule(
                    priority: Self.gatewayPriority + 1, source: range, action: .unreachable, protocol: .duetTranslation),
            ] : []
        let present = try socket.rules(.ipv4, protocol: .duetTranslation)
        // The one that refuses comes last and goes first.
        for rule in present.reversed() where !wanted.contains(rule) { try socket.deleteRule(rule) }
        for rule in wanted where !present.contains(rule) { try socket.addRule(rule) }
        return Set(present) != Set(wanted)
    }

    /// The turn of the rules: behind the node's own addresses, before ordinary routes.
    private static let gatewayPriority: UInt32 = 6900

    /// Lets packets of the node itself that take a route carry an address, nil for the kernel's choice, which may be any.
    mutating func keepSource(
        _ address: IPv6Address?, ofRouteTo destination: IPPrefix, through link: Int32
    ) throws(NetlinkError) {
        let wanted = address.map { IPAddress.v6($0) }
        for var route in try socket.routes(.ipv6, table: Route.mainTable, protocol: .duetTranslation)
        where route.destination == destination && route.interface == link && route.source != wanted {
            route.source = wanted
            try socket.replaceRoute(route)
        }
    }

    /// The node's own IPv4 addresses that lie in some networks, which are all unless they are given.
    mutating func ownAddresses(
        in networks: [IPPrefix] = [TranslationGateways.everything]
    ) throws(NetlinkError) -> [IPv4Address] {
        guard !networks.isEmpty else { return [] }
        var own: Set<IPv4Address> = []
        for entry in try socket.addresses() {
            guard case .v4(let address) = entry.address.address,
                networks.contains(where: { $0.contains(entry.address.address) })
            else { continue }
            own.insert(address)
        }
        return own.sorted()
    }
}
