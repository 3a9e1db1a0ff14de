internal import Addresses

extension BGPConfiguration {
    func birdText(for node: ClusterNode) -> String {
        var lines = ["# Written by duet agent: changes are lost.", "router id \(Self.routerID(of: node));"]
        for family in IPFamily.allCases {
            lines += ["protocol static duet_blocks\(family.rawValue) {", "  \(family.name.lowercased());"]
            // They are told, and never put into the kernel: no protocol of this file exports there.
            lines += blocks(family, of: node).map { "  route \($0) unreachable;" }
            lines.append("}")
        }
        for (number, peer) in peers.enumerated() {
            lines += [
                "protocol bgp duet_peer\(number + 1) {",
                "  local as \(autonomousSystem);",
                "  neighbor \(peer.address) as \(peer.autonomousSystem);",
                // In seconds. A router that was not there yet, or was busy with its own configuration, is otherwise
                // tried again after one to five minutes.
                "  connect delay time 1;",
                "  connect retry time 5;",
                "  error wait time 2, 30;",
            ]
            for family in IPFamily.allCases where peers(for: family, of: node).contains(peer) {
                lines += [
                    "  \(family.name.lowercased()) {",
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
