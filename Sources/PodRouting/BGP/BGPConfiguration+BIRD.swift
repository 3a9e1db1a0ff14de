internal import Addresses

extension BGPConfiguration {
    func birdText(for node: ClusterNode) -> String {
        var lines = ["# Written by duet agent: changes are lost.", "router id \(Self.routerID(of: node));"]
        for family in IPFamily.allCases {
            // They are told, and never put into the kernel: protocols that export there, as that of Debian's own
            // configuration does, know nothing of this table.
            lines += [
                "\(family.name.lowercased()) table duet_table\(family.rawValue);",
                "protocol static duet_blocks\(family.rawValue) {",
                "  \(family.name.lowercased()) { table duet_table\(family.rawValue); };",
            ]
            lines += blocks(family, of: node).map { "  route \($0) unreachable;" }
            lines.append("}")
        }
        for (number, peer) in peers.enumerated() {
            // Routers know the node by its address; the kernel might take one that a router advertised.
            let own = node.address(peer.address.family).map { "\($0) " } ?? ""
            lines += [
                "protocol bgp duet_peer\(number + 1) {",
                "  local \(own)as \(autonomousSystem);",
                "  neighbor \(peer.address) as \(peer.autonomousSystem);",
                // In seconds. A router that was not there yet, or was busy with its own configuration, is otherwise
                // tried again after one to five minutes.
                "  connect delay time 1;",
                "  connect retry time 5;",
                "  error wait time 2, 30;",
                // The kernel forwards whether the daemon runs or not: routers keep the blocks while it restarts (RFC 4724).
                "  graceful restart on;",
            ]
            for family in IPFamily.allCases where peers(for: family, of: node).contains(peer) {
                lines += [
                    "  \(family.name.lowercased()) {",
                    "    table duet_table\(family.rawValue);",
                    "    import none;",
                    "    export where proto = \"duet_blocks\(family.rawValue)\";",
                    "    next hop self;",
                ]
                if family != peer.address.family, family == .ipv4 { lines.append("    extended next hop on;") }
                lines.append("  };")
            }
            lines.append("}")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
