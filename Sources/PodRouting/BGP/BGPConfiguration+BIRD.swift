internal import Addresses

extension BGPConfiguration {
    func birdText(for node: ClusterNode) -> String {
        var lines = ["# Written by duet agent: changes are lost.", "router id \(Self.routerID(of: node));"]
        for family in IPFamily.allCases {
            let blocks = node.podPrefixes.filter { $0.family == family }.sorted()
            lines += ["protocol static duet_blocks\(family.rawValue) {", "  \(family.name.lowercased());"]
            // They are told, and never put into the kernel: no protocol of this file exports there.
            lines += blocks.map { "  route \($0) unreachable;" }
            lines.append("}")
        }
        for (number, peer) in peers.enumerated() {
            lines += [
                "protocol bgp duet_peer\(number + 1) {",
                "  local as \(autonomousSystem);",
                "  neighbor \(peer.address) as \(peer.autonomousSystem);",
                "  connect retry time 10;",
                // By itself BIRD waits for a minute after any error, in which it takes no connection either.
                "  error wait time 3, 60;",
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
