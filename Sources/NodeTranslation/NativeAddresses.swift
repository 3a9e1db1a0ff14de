internal import Addresses
internal import Linux
internal import Netlink
internal import RouteNetlink

/// The IPv4 addresses that pods with IPv6 alone have themselves, for software that knows IPv4 alone.
///
/// The pod's packets are IPv4 on its link already, so that nothing is translated; the next hop is the pod's IPv6 gateway.
struct NativeAddresses {
    /// The names of pods' network namespaces, which are looked for once.
    private var namespaces: [IPv6Address: String] = [:]

    /// Gives a pod its address and the route that goes with it, and takes a former one away.
    ///
    /// - Parameters:
    ///   - address: the address; nil to take it away.
    ///   - link: the host's end of the pod's link.
    /// - Returns: whether anything had to be done.
    mutating func apply(
        _ address: IPv4Address?, former: IPv4Address?, to pod: IPv6Address, behind link: Link
    ) throws -> Bool {
        let index = link.index
        if let name = namespaces[pod] {
            if let changed = try Self.apply(address, former, to: pod, behind: index, in: name) {
                return changed
            }
            namespaces[pod] = nil
        }
        for name in try NetworkNamespace.names() {
            // A name may go at any time.
            guard let changed = try? Self.apply(address, former, to: pod, behind: index, in: name) else {
                continue
            }
            namespaces[pod] = name
            return changed
        }
        throw SystemError(
            .noEntry, "find network namespace of pod \(pod)", "\(NetworkNamespace.directory): none there has it")
    }

    /// Forgets a pod that is gone.
    mutating func forget(_ pod: IPv6Address) { namespaces[pod] = nil }

    /// Does the same in a namespace if that is the pod's; nil where it is not.
    private static func apply(
        _ address: IPv4Address?, _ former: IPv4Address?, to pod: IPv6Address, behind hostEnd: Int32, in name: String
    ) throws -> Bool? {
        try NetworkNamespace.open(name: name).run { () throws -> Bool? in
            var socket = try RouteSocket()
            guard let entry = try socket.addresses().first(where: { $0.address.address == .v6(pod) }),
                let link = try socket.link(at: entry.interface), link.peer == hostEnd
            else { return nil }
            return try apply(address, former, entry.interface, &socket)
        }
    }

    private static func apply(
        _ address: IPv4Address?, _ former: IPv4Address?, _ link: Int32, _ socket: inout RouteSocket
    ) throws(NetlinkError) -> Bool {
        let present = try socket.addresses(link).map(\.address.address)
        var isChanged = false
        let defaults = try socket.routes(.ipv4, table: Route.mainTable).filter { $0.destination.length == 0 }
        if let former, former != address, present.contains(.v4(former)) {
            for route in defaults where route.protocol == .duetTranslation { try socket.deleteRoute(route) }
            try socket.removeAddress(InterfaceAddress(.v4(former), length: 32), link)
            isChanged = true
        }
        guard let address else { return isChanged }
        if !present.contains(.v4(address)) {
            try socket.addAddress(InterfaceAddress(.v4(address), length: 32), link)
            isChanged = true
        }
        // What another one has set is more than the pod needs.
        guard isChanged || defaults.isEmpty else { return false }
        let gateways = try socket.routes(.ipv6, table: Route.mainTable).filter {
            $0.destination.length == 0 && $0.interface == link && $0.gateway != nil
        }
        guard let gateway = gateways.first?.gateway else { return isChanged }
        try socket.replaceRoute(
            Route(
                destination: IPPrefix(.unspecified(.ipv4), length: 0), gateway: gateway, interface: link,
                source: .v4(address), protocol: .duetTranslation, isOnLink: true))
        return true
    }
}
