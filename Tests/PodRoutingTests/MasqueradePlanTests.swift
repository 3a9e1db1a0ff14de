import Addresses
import NFTables
import PodRouting
import TestSupport
import Testing

@Suite("The plan of masquerading")
struct MasqueradePlanTests {
    private func plan(
        own: ClusterNode, _ others: ClusterNode..., policy: MasqueradePolicy = MasqueradePolicy()
    ) -> MasqueradePlan {
        var plan = MasqueradePlan(policy: policy)
        _ = plan.update(own: own)
        for node in [own] + others { _ = plan.update(node.name, node, addresses: node.addresses) }
        return plan
    }

    @Test(
        "Blocks that the Internet does not route to are masqueraded, others are not, unless it is asked for",
        arguments: [
            ([:], ["10.244.1.0/24", "100.64.0.0/24", "fd00:1::/64"]),
            ([.ipv6: .always], ["10.244.1.0/24", "100.64.0.0/24", "2001:db8:1::/64", "fd00:1::/64"]),
            ([.ipv4: .always, .ipv6: .never], ["10.244.1.0/24", "100.64.0.0/24", "198.51.100.0/24"]),
            ([.ipv4: .never], ["fd00:1::/64"]),
        ] as [([IPFamily: Masquerading], [String])])
    func sources(modes: [IPFamily: Masquerading], expected: [String]) {
        let own = clusterNode(
            1, pods: ["10.244.1.0/24", "fd00:1::/64", "2001:db8:1::/64", "198.51.100.0/24", "100.64.0.0/24"])
        let plan = plan(own: own, policy: MasqueradePolicy(modes: modes))
        #expect(plan.sources.sorted().map(String.init) == expected)
    }

    @Test("Pods, nodes, groups, link-local addresses and given ranges see the pod's own address; nothing stands twice")
    func exempt() {
        let inside = clusterNode(2, pods: ["10.244.2.0/24"], addresses: ["10.244.2.1", "172.20.0.2"])
        let ranges = ["192.0.2.0/24", "172.20.0.2/32"].compactMap { IPPrefix($0) }
        let plan = plan(own: clusterNode(1), inside, policy: MasqueradePolicy(exempt: ranges))
        #expect(
            plan.exempt.sorted().map(String.init) == [
                "10.244.1.0/24", "10.244.2.0/24", "169.254.0.0/16", "172.20.0.1/32", "172.20.0.2/32", "192.0.2.0/24",
                "224.0.0.0/4", "fd00:10:244:1::/64", "fd00:20::1/128", "fe80::/10", "ff00::/8",
            ])
    }

    @Test("A new node touches its own prefixes, and those that were hidden by one that goes")
    func difference() {
        var plan = plan(own: clusterNode(1))
        let node = clusterNode(2)
        let touched = plan.update("node-2", node, addresses: node.addresses)
        #expect(touched == Set(node.podPrefixes + node.addresses.map { IPPrefix($0, length: $0.family.bitWidth) }))
        #expect(plan.update("node-2", node, addresses: node.addresses).isEmpty)
        let wide = clusterNode(3, pods: ["10.244.0.0/16"], addresses: [])
        #expect(plan.update("node-3", wide, addresses: []).map(String.init).sorted().first == "10.244.0.0/16")
        #expect(!plan.exempt.contains(node.podPrefixes[0]))
        #expect(plan.update("node-3", nil, addresses: []).contains(node.podPrefixes[0]))
        #expect(plan.exempt.contains(node.podPrefixes[0]))
    }

    @Test("Random nodes that overlap, come and go leave what a plan of the rest has", arguments: [1, 2, 3] as [UInt64])
    func property(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var plan = MasqueradePlan()
        var known: Set<IPPrefix> = plan.exempt
        var present: [String: ClusterNode] = [:]
        for _ in 0..<400 {
            let number = Int.random(in: 1...8, using: &generator)
            let length = Int.random(in: 8...24, using: &generator)
            let block = IPPrefix(
                IPAddress(family: .ipv4, bits: UInt128.random(in: 0...7, using: &generator) << 20 | 10 << 24),
                length: length)
            let node = ClusterNode(name: "node-\(number)", podPrefixes: [block], addresses: [])
            present["node-\(number)"] = Bool.random(using: &generator) ? node : nil
            let touched = plan.update("node-\(number)", present["node-\(number)"], addresses: [])
            for prefix in touched {
                if plan.holds(prefix, in: "cluster-4") { known.insert(prefix) } else { known.remove(prefix) }
            }
            var fresh = MasqueradePlan()
            for (name, node) in present { _ = fresh.update(name, node, addresses: []) }
            #expect(plan.exempt == fresh.exempt, "seed \(seed)")
            #expect(known == fresh.exempt, "what was touched is all that changed, seed \(seed)")
        }
    }

    @Test("The configuration for the runtime lists the ranges and default routes in the node's order")
    func configuration() {
        let prefixes = ["fd00:1::/64", "10.244.1.0/24"].compactMap { IPPrefix($0) }
        #expect(
            CNIConfiguration.text(podPrefixes: prefixes, mtu: 1450).filter { !$0.isWhitespace } == """
                {"cniVersion":"1.0.0","cniVersions":["1.0.0","1.1.0"],"name":"duet",\
                "plugins":[{"type":"ptp","mtu":1450,"ipam":{"type":"host-local","ranges"\
                :[[{"subnet":"fd00:1::/64","rangeEnd":"fd00:1::ff:fffe:ffff:ffff"}],[{"subnet":"10.244.1.0/24"}]],\
                "routes":[{"dst":"::/0"},{"dst":"0.0.0.0/0"}]}}]}
                """)
    }
}
