package import Addresses
package import RouteNetlink
package import WireGuard

/// What a change of the plan may have changed: all that the kernel must be compared with.
package struct RoutePlanChange: Hashable, Sendable {
    /// The destinations of routes.
    package var destinations: Set<IPPrefix>
    /// The nodes whose tunnel ends may differ.
    package var peers: Set<String>

    /// Describes a change.
    package init(destinations: Set<IPPrefix> = [], peers: Set<String> = []) {
        self.destinations = destinations
        self.peers = peers
    }

    /// Whether nothing changed.
    package var isEmpty: Bool {
        destinations.isEmpty && peers.isEmpty
    }
}

/// The routes, tunnels and tunnel ends that lead from one node to the pods of all others.
///
/// A change of one node touches that node's share only.
package struct RoutePlan: Sendable {
    private let nodeName: String
    private let policy: RoutePolicy
    /// The network below, as it was seen last.
    package private(set) var underlay = Underlay()
    private var nodes: [String: ClusterNode] = [:]
    private var peers: [String: PeerPlan] = [:]
    private var owners: [IPPrefix: String] = [:]
    private var stationOwners: [MACAddress: String] = [:]
    private var loads: [Tunnel: [TunnelLoad: Int]] = [:]
    private var linkSources: [IPAddress: Int] = [:]
    private var gateways: TranslationGateways?

    /// A plan for a node of this name, without others.
    ///
    /// - Parameter gateways: by whom translated packets leave, without nodes; `nil` where nothing is translated.
    package init(nodeName: String, policy: RoutePolicy = RoutePolicy(), gateways: TranslationGateways? = nil) {
        self.nodeName = nodeName
        self.policy = policy
        self.gateways = gateways
    }

    /// The node itself, once it is known.
    package var own: ClusterNode? {
        nodes[nodeName]
    }

    /// A node of which it is known.
    package func node(_ name: String) -> ClusterNode? {
        nodes[name]
    }

    /// The names of the nodes that are known.
    package var nodeNames: some Collection<String> {
        nodes.keys
    }

    /// The addresses of all other nodes: those whose paths matter.
    package var peerAddresses: Set<IPAddress> {
        Set(nodes.values.lazy.filter { $0.name != nodeName }.flatMap(\.addresses))
    }

    /// Whether an address of another node passes a test.
    func isPeer(_ test: (IPAddress) -> Bool) -> Bool {
        nodes.values.contains { $0.name != nodeName && $0.addresses.contains(where: test) }
    }

    /// Takes a node's new state, `nil` when it is gone, and the paths to its addresses.
    package mutating func update(
        _ name: String, _ node: ClusterNode?, paths: [IPAddress: UnderlayPath] = [:]
    ) -> RoutePlanChange {
        let old = nodes[name]
        let hasNewPath = (node?.addresses ?? []).contains { underlay.paths[$0] != paths[$0] }
        // A node whose object is gone for a moment keeps its network.
        if name == nodeName, node == nil { return RoutePlanChange() }
        guard old != node || name != nodeName && hasNewPath else { return RoutePlanChange() }
        nodes[name] = node
        let others = gateways?.update(name, node) ?? []
        if name == nodeName {
            // What overlaps the node's own blocks must not lead away, so every other node's routes are looked at again.
            return replan()
        }
        for address in old?.addresses ?? [] { underlay.paths[address] = nil }
        for address in node?.addresses ?? [] { underlay.paths[address] = paths[address] }
        var change = RoutePlanChange()
        replan(name, &change)
        for other in others.sorted() where other != nodeName { replan(other, &change) }
        return change
    }

    /// Takes a new snapshot of the network below.
    package mutating func update(_ underlay: Underlay) -> RoutePlanChange {
        guard underlay != self.underlay else { return RoutePlanChange() }
        self.underlay = underlay
        return replan()
    }

    private mutating func replan() -> RoutePlanChange {
        var change = RoutePlanChange()
        for name in nodes.keys.sorted() where name != nodeName { replan(name, &change) }
        return change
    }

    private mutating func replan(_ name: String, _ change: inout RoutePlanChange) {
        change.peers.insert(name)
        if let old = peers.removeValue(forKey: name) {
            for destination in old.routes.keys where owners[destination] == name {
                owners[destination] = nil
                change.destinations.insert(destination)
            }
            for station in old.stations.values { stationOwners[station.mac] = nil }
            count(old, -1)
        }
        guard let own, let node = nodes[name] else { return }
        let peer = PeerPlan(
            from: own, to: node.keeping { prefix in !own.podPrefixes.contains { $0.overlaps(prefix) } },
            translated: gateways?.destinations(behind: name, from: nodeName) ?? [], policy: policy, underlay: underlay)
        for destination in peer.routes.keys {
            owners[destination] = name
            change.destinations.insert(destination)
        }
        for station in peer.stations.values { stationOwners[station.mac] = name }
        peers[name] = peer
        count(peer, 1)
    }

    private mutating func count(_ peer: PeerPlan, _ step: Int) {
        for (tunnel, load) in peer.loads {
            let left = (loads[tunnel]?[load] ?? 0) + step
            loads[tunnel, default: [:]][load] = left == 0 ? nil : left
        }
        for route in peer.routes.values {
            guard case .link = route.hop, let source = route.source else { continue }
            let left = (linkSources[source] ?? 0) + step
            linkSources[source] = left == 0 ? nil : left
        }
    }
}

extension RoutePlan {
    /// The route to a destination; `nil` when there shall be none.
    package func route(to destination: IPPrefix) -> PlannedRoute? {
        owners[destination].flatMap { peers[$0]?.routes[destination] }
    }

    /// All destinations that shall have a route.
    package var destinations: Set<IPPrefix> {
        Set(owners.keys)
    }

    /// What is known of the way to one other node.
    package func peer(_ name: String) -> PeerPlan? {
        peers[name]
    }

    /// The destinations that cannot have a route, for some nodes or all.
    package func refusals(of names: Set<String>? = nil) -> [RouteFailure] {
        (names ?? Set(peers.keys)).flatMap { name in
            (peers[name]?.refusals ?? [:]).map { RouteFailure(destination: $0.key, reason: $0.value) }
        }.sorted { $0.destination < $1.destination }
    }

    /// The nodes' ends of a VXLAN.
    package func stations(_ underlay: IPFamily) -> [String: Station] {
        peers.compactMapValues { $0.stations[underlay] }
    }

    /// Whether a forwarding entry leads to a node's end of a VXLAN as it should.
    func holds(_ entry: ForwardingEntry) -> Bool {
        guard let name = stationOwners[entry.mac], let stations = peers[name]?.stations.values else { return false }
        return stations.contains { $0.mac == entry.mac && $0.remote == entry.remote }
    }

    /// The nodes' ends of the WireGuard link.
    package var wireGuardPeers: [String: WireGuardPeer] {
        peers.compactMapValues(\.wireGuardPeer)
    }

    /// The largest packet of a tunnel: what fits to every peer, and 1280 bytes at least where IPv6 goes through; `nil` when
    /// the tunnel is not needed.
    package func mtu(of tunnel: Tunnel) -> Int? {
        guard let loads = loads[tunnel]?.keys, let least = loads.map(\.mtu).min() else { return nil }
        return loads.contains(where: \.carriesIPv6) ? max(least, RoutePolicy.minimumIPv6MTU) : least
    }

    /// The settings of the VXLAN link over an underlay; `nil` when it is not needed.
    package func vxlan(_ family: IPFamily) -> VXLAN? {
        guard mtu(of: .vxlan(family)) != nil, let local = own?.address(family) else { return nil }
        return VXLAN(
            id: RoutePolicy.vxlanID, port: policy.vxlanPort, local: local, interface: underlay.interface)
    }

    /// The port that the WireGuard link listens on; `nil` in other modes.
    package var wireGuardPort: UInt16? {
        policy.mode == .wireguard ? policy.wireGuardPort : nil
    }

    /// The addresses of the node among its own pods that packets into a tunnel carry.
    ///
    /// They stand on the tunnel's link, so that the kernel takes them for masquerading there, too.
    package func podSideAddresses(on tunnel: Tunnel) -> Set<IPAddress> {
        guard let own, let mtu = mtu(of: tunnel) else { return [] }
        // A narrower link has no IPv6.
        let families = IPFamily.allCases.filter { $0 == .ipv4 || mtu >= RoutePolicy.minimumIPv6MTU }
        return Set(families.compactMap { TunnelIdentity.podSideAddress(of: own, $0) })
    }

    /// The addresses of the node among its own pods that packets over other links carry, as the node has no other of the
    /// family.
    package var loopbackAddresses: Set<IPAddress> {
        guard let own else { return [] }
        return Set(
            IPFamily.allCases.compactMap { TunnelIdentity.podSideAddress(of: own, $0) }.filter {
                linkSources[$0] != nil
            })
    }

    /// The largest packet that a pod may send without learning better on the way: the smallest over all peers.
    package var podMTU: Int? {
        guard let uplink = underlay.uplinkMTU else { return nil }
        let least = Tunnel.all.compactMap(mtu).reduce(uplink, min)
        // A link of less would have no IPv6 at all; IPv4 learns of the narrow path from the kernel.
        let hasIPv6 = own?.podPrefixes.contains { $0.family == .ipv6 } == true
        return hasIPv6 ? max(least, min(uplink, RoutePolicy.minimumIPv6MTU)) : least
    }
}
