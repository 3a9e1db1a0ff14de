internal import Addresses

extension BGPConfiguration {
    func frrText(for node: ClusterNode) -> String {
        var lines = [
            "! Written by duet agent: changes are lost.", "route-map duet-refuse deny 10", "exit", "!",
            "router bgp \(autonomousSystem)",
            " bgp router-id \(Self.routerID(of: node))",
            " no bgp default ipv4-unicast",
            " no bgp ebgp-requires-policy",
            // The kernel forwards whether the daemon runs or not: routers keep the blocks while it restarts (RFC 4724).
            " bgp graceful-restart",
            " bgp graceful-restart preserve-fw-state",
            // The blocks need not stand in the routing table: their addresses are on the pods' links.
            " no bgp network import-check",
        ]
        for peer in peers {
            lines.append(" neighbor \(peer.address) remote-as \(peer.autonomousSystem)")
            // Routers know the node by this address; the kernel might take one that a router advertised.
            if let own = node.address(peer.address.family) {
                lines.append(" neighbor \(peer.address) update-source \(own)")
            }
            // In seconds; a router that was not there yet is otherwise tried again after two minutes.
            lines.append(" neighbor \(peer.address) timers connect 5")
            if peer.address.family == .ipv6, peers(for: .ipv4, of: node).contains(peer) {
                lines.append(" neighbor \(peer.address) capability extended-nexthop")
            }
        }
        for family in IPFamily.allCases {
            let active = peers(for: family, of: node)
            let blocks = blocks(family, of: node)
            guard !blocks.isEmpty else { continue }
            lines += [" !", " address-family \(family.name.lowercased()) unicast"]
            lines += blocks.map { "  network \($0)" }
            for peer in active {
                lines.append("  neighbor \(peer.address) activate")
                // The node's own routes stay those that Duet makes.
                lines.append("  neighbor \(peer.address) route-map duet-refuse in")
            }
            lines.append(" exit-address-family")
        }
        lines += ["exit", "!"]
        return lines.joined(separator: "\n") + "\n"
    }
}
