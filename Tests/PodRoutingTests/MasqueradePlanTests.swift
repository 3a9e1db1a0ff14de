import Addresses
import NFTables
import PodRouting
import Testing

@Suite("The plan of masquerading")
struct MasqueradePlanTests {
    @Test("Private blocks of either family are masqueraded, public ones are not")
    func sources() {
        let own = clusterNode(1, pods: ["10.244.1.0/24", "fd00:1::/64", "2001:db8:1::/64", "198.51.100.0/24"])
        let plan = MasqueradePlan(own: own, nodes: [own])
        #expect(plan.sources.sorted().map(String.init) == ["10.244.1.0/24", "fd00:1::/64"])
    }

    @Test("Pods, nodes, groups and link-local addresses see the pod's own address; nothing stands twice")
    func exempt() {
        let inside = clusterNode(2, pods: ["10.244.2.0/24"], addresses: ["10.244.2.1", "172.20.0.2"])
        let plan = MasqueradePlan(own: clusterNode(1), nodes: [clusterNode(1), inside])
        #expect(
            plan.exempt.sorted().map(String.init) == [
                "10.244.1.0/24", "10.244.2.0/24", "169.254.0.0/16", "172.20.0.1/32", "172.20.0.2/32", "224.0.0.0/4",
                "fd00:10:244:1::/64", "fd00:20::1/128", "fe80::/10", "ff00::/8",
            ])
    }

    @Test("A new node costs its own elements")
    func difference() {
        let own = clusterNode(1)
        let before = MasqueradePlan(own: own, nodes: [own])
        let after = MasqueradePlan(own: own, nodes: [own, clusterNode(2)])
        let operations = MasqueradePlan.difference(from: before, to: after).operations
        #expect(operations.count == 2)
        for operation in operations {
            guard case .addElements(_, _, let elements) = operation else {
                Issue.record("unexpected \(operation)")
                continue
            }
            #expect(elements.count == 4)
        }
        #expect(MasqueradePlan.difference(from: before, to: before).isEmpty)
    }

    @Test("The configuration for the runtime lists the ranges and default routes in the node's order")
    func configuration() {
        let prefixes = ["fd00:1::/64", "10.244.1.0/24"].compactMap { IPPrefix($0) }
        #expect(
            CNIConfiguration.text(podPrefixes: prefixes, mtu: 1450).filter { !$0.isWhitespace } == """
                {"cniVersion":"1.0.0","name":"duet","plugins":[{"type":"ptp","mtu":1450,"ipam":{"type":"host-local",\
                "ranges":[[{"subnet":"fd00:1::/64"}],[{"subnet":"10.244.1.0/24"}]],\
                "routes":[{"dst":"::/0"},{"dst":"0.0.0.0/0"}]}}]}
                """)
    }
}
