package import Addresses
package import RouteNetlink
package import WireGuard

/// The route to one block of another node's pod addresses.
package struct PlannedRoute: Hashable, Sendable {
    /// Where packets go to.
    package enum Hop: Hashable, Sendable {
        /// To a neighbour on a link of the machine.
        case link(Int32, gateway: IPAddress)
        /// Into a tunnel, to a neighbour there where the tunnel has neighbours.
        case tunnel(Tunnel, gateway: IPAddress?)
    }

    /// The block.
    package let destination: IPPrefix
    /// The way there.
    package let hop: Hop
    /// The node's own address that its own packets carry; `nil` leaves it to the kernel.
    package let source: IPAddress?

    /// The table: a default route is one for translated packets alone, which a rule leads to a table of their own.
    package var table: UInt32 { destination.length == 0 ? RoutePolicy.translatedTable : Route.mainTable }
}

/// Another end of a VXLAN.
package struct Station: Hashable, Sendable {
    /// Its link-layer address.
    package let mac: MACAddress
    /// Its address in the underlay.
    package let remote: IPAddress
    /// The addresses that routes use for it.
    package let neighbours: Set<IPAddress>
}

/// What a tunnel must carry to a peer.
package struct TunnelLoad: Hashable, Sendable {
    /// The largest packet that fits inside.
    package let mtu: Int
    /// Whether packets of IPv6 go through.
    package let carriesIPv6: Bool
}

/// All that the kernel must know to reach the pods of one other node: a pure function of both nodes and the underlay.
package struct PeerPlan: Hashable, Sendable {
    /// The routes by destination.
    package fileprivate(set) var routes: [IPPrefix: PlannedRoute] = [:]
    /// Why other destinations have none.
    package fileprivate(set) var refusals: [IPPrefix: String] = [:]
    /// The peer's ends of VXLANs, by the underlay's family.
    package fileprivate(set) var stations: [IPFamily: Station] = [:]
    /// The peer's end of the WireGuard link.
    package fileprivate(set) var wireGuardPeer: WireGuardPeer?
    /// What each tunnel must carry.
    package fileprivate(set) var loads: [Tunnel: TunnelLoad] = [:]
    /// The peer's own addresses that answer pods directly, so that these may show their own address there.
    package fileprivate(set) var nativeAddresses: Set<IPAddress> = []

    fileprivate init() {}
}

extension PeerPlan {
    /// Plans the ways from one node to the pods of another.
    ///
    /// - Parameter translated: what else leads there, for translated packets.
    package init(
        from own: ClusterNode, to peer: ClusterNode, translated: [IPPrefix] = [], policy: RoutePolicy,
        underlay: Underlay
    ) {
        var planner = Planner(own: own, peer: peer, translated: translated, policy: policy, underlay: underlay)
        self = planner.plan()
    }
}

private struct Planner {
    let own: ClusterNode
    let peer: ClusterNode
    let translated: [IPPrefix]
    let policy: RoutePolicy
    let underlay: Underlay
    var result = PeerPlan()

    private enum Way {
        case link(Int32, IPAddress)
        case tunnel(Tunnel, remote: IPAddress, mtu: Int)
        case refused(String)
    }

    mutating func plan() -> PeerPlan {
        for family in IPFamily.allCases {
            let blocks = peer.podPrefixes.filter { $0.family == family }
            if !blocks.isEmpty { plan(blocks, family, way(family)) }
        }
        if !translated.isEmpty { plan(translated, .ipv4, translatedWay) }
        if policy.mode == .direct, policy.routersKnowPods { result.nativeAddresses = Set(peer.addresses) }
        return result
    }

    private mutating func plan(_ blocks: [IPPrefix], _ family: IPFamily, _ way: Way) {
        let hop: PlannedRoute.Hop
        var source = TunnelIdentity.podSideAddress(of: own, family)
        switch way {
        case .refused(let reason):
            for block in blocks { result.refusals[block] = reason }
            return
        case .link(let interface, let gateway):
            hop = .link(interface, gateway: gateway)
            if gateway.family == family {
                result.nativeAddresses.insert(gateway)
                if let address = own.address(family), underlay.localAddresses.contains(address) { source = address }
            }
        case .tunnel(let tunnel, let remote, let mtu):
            hop = .tunnel(tunnel, gateway: join(tunnel, remote, mtu, family, blocks))
        }
        for block in blocks { result.routes[block] = PlannedRoute(destination: block, hop: hop, source: source) }
    }

    /// Notes what a tunnel needs for blocks behind it, and returns the neighbour that routes name.
    private mutating func join(
        _ tunnel: Tunnel, _ remote: IPAddress, _ mtu: Int, _ family: IPFamily, _ blocks: [IPPrefix]
    ) -> IPAddress? {
        result.loads[tunnel] = TunnelLoad(
            mtu: mtu, carriesIPv6: family == .ipv6 || result.loads[tunnel]?.carriesIPv6 == true)
        guard case .vxlan(let underlay) = tunnel else {
            if let key = peer.wireGuardKey {
                result.wireGuardPeer = WireGuardPeer(
                    publicKey: key, endpoint: WireGuardEndpoint(remote, port: policy.wireGuardPort),
                    allowed: Set(blocks).union(result.wireGuardPeer?.allowed ?? []))
            }
            return nil
        }
        let mac = TunnelIdentity.mac(ofNode: peer.name, underlay: underlay)
        // A link-local gateway is on every link; one inside the block would be looked up, and found on another link while
        // the block's route still leads there.
        let gateway =
            family == .ipv6
            ? TunnelIdentity.linkLocalAddress(mac) : TunnelIdentity.podSideAddress(of: peer, family) ?? blocks[0].first
        result.stations[underlay] = Station(
            mac: mac, remote: remote, neighbours: (result.stations[underlay]?.neighbours ?? []).union([gateway]))
        return gateway
    }

    private func way(_ family: IPFamily) -> Way {
        switch policy.mode {
        case .wireguard: wireGuardWay(family)
        case .vxlan: vxlanWay(family)
        case .auto: linkWay(family) ?? vxlanWay(family)
        case .direct: linkWay(family) ?? routerWay(family) ?? .refused(notOnLink(family))
        }
    }

    /// The way over a shared link: by the peer's address of the family, and for IPv4 also by its IPv6 address (RFC 8950
    /// speaks of such next hops; the kernel knows none the other way round).
    private func linkWay(_ family: IPFamily) -> Way? {
        for nextHop in family == .ipv4 ? [family, .ipv6] : [family] {
            if let address = peer.address(nextHop), let path = underlay.paths[address], path.gateway == nil {
                return .link(path.interface, address)
            }
        }
        return nil
    }

    /// The way of translated packets, which no router may have a part in: it would take them for its own to send on.
    private var translatedWay: Way {
        policy.mode == .direct ? linkWay(.ipv4) ?? .refused(notOnLink(.ipv4, isTranslated: true)) : way(.ipv4)
    }

    /// The way by the router that leads to the node itself, when it knows the pods as well.
    private func routerWay(_ family: IPFamily) -> Way? {
        guard policy.routersKnowPods, let address = peer.address(family), let path = underlay.paths[address],
            let gateway = path.gateway
        else { return nil }
        return .link(path.interface, gateway)
    }

    private func notOnLink(_ family: IPFamily, isTranslated: Bool = false) -> String {
        guard let address = peer.address(family) else {
            return
                "node \(peer.name) has no \(family.name) address, and \(family.name) packets are not wrapped in mode "
                + "direct: use --route-mode auto"
        }
        guard let gateway = underlay.paths[address]?.gateway else { return unreachable }
        if isTranslated {
            return
                "node \(peer.name) is behind the router \(gateway), and translated packets are not wrapped in mode direct: "
                + "use --route-mode auto, or make a node on this link a gateway"
        }
        return
            "node \(peer.name) is behind the router \(gateway), which does not know the pods: use --route-mode auto, or "
            + "tell the routers by BGP"
    }

    private var unreachable: String {
        peer.addresses.isEmpty
            ? "node \(peer.name) has no address in its status yet"
            : "there is no way to node \(peer.name) (\(peer.addresses.map(\.description).joined(separator: ", ")))"
    }

    private func vxlanWay(_ family: IPFamily) -> Way {
        tunnelWay(family, "VXLAN", VXLAN.overhead) { .vxlan($0) }
    }

    private func wireGuardWay(_ family: IPFamily) -> Way {
        guard peer.wireGuardKey != nil else {
            return .refused("node \(peer.name) has not published a WireGuard key: it runs in another route mode")
        }
        return tunnelWay(family, "WireGuard", WireGuardDevice.overhead) { _ in .wireGuard }
    }

    /// The first underlay family, in the order of the node's own addresses, in which both nodes have an address and whose
    /// packets are large enough; the pods' family plays no part.
    private func tunnelWay(
        _ family: IPFamily, _ name: String, _ overhead: (IPFamily) -> Int, _ tunnel: (IPFamily) -> Tunnel
    ) -> Way {
        var reason = unreachable
        let least = family == .ipv6 ? RoutePolicy.minimumIPv6MTU : RoutePolicy.minimumIPv4MTU
        for local in own.addresses {
            guard let remote = peer.address(local.family), let path = underlay.paths[remote] else { continue }
            let mtu = path.mtu - overhead(local.family)
            guard mtu >= least else {
                reason =
                    "packets to node \(peer.name) hold at most \(path.mtu) bytes, \(mtu) inside \(name) over "
                    + "\(local.family.name), and \(family.name) needs \(least): raise the MTU of the link to at least "
                    + "\(least + overhead(local.family))"
                continue
            }
            return .tunnel(tunnel(local.family), remote: remote, mtu: mtu)
        }
        return .refused(reason)
    }
}
