import Addresses
import KubernetesAPI
import PodRouting
import Testing

func clusterNode(_ number: Int, pods: [String]? = nil, addresses: [String]? = nil) -> ClusterNode {
    ClusterNode(
        name: "node-\(number)",
        podPrefixes: (pods ?? ["10.244.\(number).0/24", "fd00:10:244:\(number)::/64"]).compactMap { IPPrefix($0) },
        addresses: (addresses ?? ["172.20.0.\(number)", "fd00:20::\(number)"]).compactMap { IPAddress($0) })
}

@Suite("The plan of routes between nodes")
struct RoutePlanTests {
    private func plan(_ nodes: ClusterNode...) -> RoutePlan {
        var plan = RoutePlan(nodeName: "node-1")
        for node in nodes { _ = plan.update(node.name, node) }
        return plan
    }

    private func text(_ plan: RoutePlan) -> [String] {
        plan.destinations.sorted().map { "\($0) via \(plan.gateway(to: $0).map(String.init) ?? "-")" }
    }

    @Test("Each other node's blocks lead to its address of the same family, the own ones nowhere")
    func families() {
        #expect(
            text(plan(clusterNode(1), clusterNode(2), clusterNode(3))) == [
                "10.244.2.0/24 via 172.20.0.2", "10.244.3.0/24 via 172.20.0.3",
                "fd00:10:244:2::/64 via fd00:20::2", "fd00:10:244:3::/64 via fd00:20::3",
            ])
    }

    @Test("A node without an address of a family gets no route of it")
    func missingFamily() {
        #expect(
            text(plan(clusterNode(1), clusterNode(2, addresses: ["172.20.0.2"]))) == ["10.244.2.0/24 via 172.20.0.2"])
    }

    @Test("What overlaps the own blocks never leads away, whichever node is heard of first")
    func overlap() {
        let thief = clusterNode(2, pods: ["10.244.0.0/16", "fd00:10:244:2::/64"])
        #expect(text(plan(clusterNode(1), thief)) == ["fd00:10:244:2::/64 via fd00:20::2"])
        #expect(text(plan(thief, clusterNode(1))) == ["fd00:10:244:2::/64 via fd00:20::2"])
    }

    @Test("A change of one node touches its own blocks only")
    func incremental() {
        var plan = plan(clusterNode(1), clusterNode(2), clusterNode(3))
        #expect(plan.update("node-2", clusterNode(2)).isEmpty)
        let moved = clusterNode(2, addresses: ["172.20.0.22", "fd00:20::2"])
        #expect(plan.update("node-2", moved) == Set(moved.podPrefixes))
        #expect(plan.update("node-3", nil) == Set(clusterNode(3).podPrefixes))
        #expect(text(plan) == ["10.244.2.0/24 via 172.20.0.22", "fd00:10:244:2::/64 via fd00:20::2"])
    }

    @Test("A block that moved to another node is not lost when the old node goes")
    func takeover() {
        var plan = plan(clusterNode(1), clusterNode(2))
        _ = plan.update("node-9", clusterNode(9, pods: ["10.244.2.0/24"]))
        _ = plan.update("node-2", nil)
        #expect(text(plan) == ["10.244.2.0/24 via 172.20.0.9"])
    }

    @Test("Random changes applied one by one end where a fresh plan starts", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func property(seed: UInt64) {
        var generator = SplitMix(seed: seed)
        var incremental = RoutePlan(nodeName: "node-1")
        var present: [String: ClusterNode] = [:]
        for _ in 0..<300 {
            let number = Int.random(in: 1...6, using: &generator)
            let node: ClusterNode? =
                Bool.random(using: &generator)
                ? nil : clusterNode(number, addresses: ["172.20.\(Int.random(in: 0...2, using: &generator)).\(number)"])
            present["node-\(number)"] = node
            _ = incremental.update("node-\(number)", node)
            var fresh = RoutePlan(nodeName: "node-1")
            for (name, node) in present { _ = fresh.update(name, node) }
            #expect(text(incremental) == text(fresh), "seed \(seed)")
        }
    }

    @Test("A Node without blocks or with only a single one is read as it is")
    func parse() {
        var node = Node(metadata: ObjectMeta(name: "n"))
        #expect(ClusterNode(node) == ClusterNode(name: "n", podPrefixes: [], addresses: []))
        node.spec = NodeSpec(podCIDR: "10.244.7.0/24")
        node.status = NodeStatus(addresses: [
            NodeAddress(type: "Hostname", address: "n"), NodeAddress(type: "InternalIP", address: "fd00::7"),
        ])
        let read = ClusterNode(node)
        #expect(read.podPrefixes.map(String.init) == ["10.244.7.0/24"])
        #expect(read.addresses.map(String.init) == ["fd00::7"])
    }
}

/// A generator whose sequence follows from its seed.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}
