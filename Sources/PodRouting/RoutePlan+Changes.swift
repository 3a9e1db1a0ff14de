internal import Addresses
package import RouteNetlink

extension RouteChange {
    /// Whether packets of a family are passed on no more.
    var stopsForwarding: Bool {
        if case .packetForwarding(_, isOn: false) = object { true } else { false }
    }
}

extension RoutePlan {
    /// Whether something that changed in the kernel may have spoilt what the plan says, or the plan itself.
    ///
    /// Pods come and go all the time; their links, addresses and routes must not lead to an audit.
    ///
    /// - Parameters:
    ///   - links: the tunnel links that stand.
    ///   - ownPorts: the ports of the sockets whose changes are Duet's own.
    package func isAffected(by change: RouteChange, links: [Tunnel: Int32], ownPorts: Set<UInt32>) -> Bool {
        if ownPorts.contains(change.port) { return false }
        switch change.object {
        case .link(let link):
            return Tunnel(linkName: link.name) != nil || links.values.contains(link.index) || isUnderlay(link.index)
        case .address(let entry):
            let address = entry.address.address
            return isUnderlay(entry.interface) || entry.protocol == .duet || own?.addresses.contains(address) == true
                || isPeer { entry.address.prefix.contains($0) }
        case .route(let route):
            if route.protocol == .duet { return true }
            // Others' matter where they lead to other nodes, or stand in the place of Duet's own.
            return route.table == Route.mainTable
                && (self.route(to: route.destination) != nil || isPeer { route.destination.contains($0) })
        case .neighbour(let interface):
            return links.values.contains(interface)
        case .forwarding(let entry):
            // Duet's own changes come without its port: what they leave is what the plan says.
            return links.values.contains(entry.interface) && holds(entry) == change.isRemoval
        case .packetForwarding: return false
        }
    }

    private func isUnderlay(_ interface: Int32) -> Bool {
        interface == underlay.interface || underlay.paths.values.contains { $0.interface == interface }
    }
}
