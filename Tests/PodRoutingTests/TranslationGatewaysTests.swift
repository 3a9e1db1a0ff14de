import Addresses
import KubernetesAPI
import PodRouting
import TestSupport
import Testing

@Suite("By which node translated packets leave")
struct TranslationGatewaysTests {
    private func node(
        _ number: Int, block: String? = nil, _ gateway: TranslationGateway? = nil,
        created: String = "2020-01-01T00:00:00Z"
    ) -> ClusterNode {
        ClusterNode(
            name: "node-\(number)",
            podPrefixes: [block ?? "fd00:10:244:\(String(number, radix: 16))::/64"].compactMap { IPPrefix($0) },
            addresses: [], gateway: gateway, created: created)
    }

    private func gateways(_ nodes: [ClusterNode]) -> TranslationGateways {
        var gateways = TranslationGateways()
        for node in nodes { _ = gateways.update(node.name, node) }
        return gateways
    }

    private func choices(_ gateways: TranslationGateways, of nodes: [ClusterNode]) -> [String: String] {
        Dictionary(uniqueKeysWithValues: nodes.map { ($0.name, gateways.gateway(of: $0.name) ?? "none") })
    }

    @Test(
        "The annotation says that a node is a gateway, and its addresses; the condition whether it is ready",
        arguments: [
            ("enabled", nil, [], true), ("203.0.113.9,203.0.113.5", "True", ["203.0.113.5", "203.0.113.9"], true),
            ("203.0.113.5", "False", ["203.0.113.5"], false), ("enabled", "Unknown", [], false),
        ] as [(String, String?, [String], Bool)])
    func annotation(text: String, ready: String?, egress: [String], isReady: Bool) {
        var node = Node(
            metadata: ObjectMeta(name: "a", annotations: [TranslationGateway.annotation: text]), status: NodeStatus())
        // One that was just made has none yet.
        #expect(ClusterNode(node).gateway?.isReady == false)
        node.status?.addresses = [NodeAddress(type: "InternalIP", address: "192.0.2.1")]
        if let ready { node.status?.conditions = [Condition(type: "Ready", status: ready)] }
        let gateway = ClusterNode(node).gateway
        #expect(gateway?.egress.map(\.description) == egress && gateway?.isReady == isReady)
    }

    @Test(
        "Whatever else the annotation says makes no gateway",
        arguments: ["", "disabled", "203.0.113.5,", "2001:db8::1", "203.0.113.0/24"])
    func unreadable(text: String) {
        let node = Node(metadata: ObjectMeta(name: "a", annotations: [TranslationGateway.annotation: text]))
        #expect(ClusterNode(node).gateway == nil)
    }

    @Test("A gateway that fails, goes or comes moves the nodes that had it or get it, and no others")
    func failover() {
        let nodes = (1...200).map { node($0) }
        var gateways = gateways(nodes + (201...203).map { node($0, TranslationGateway()) })
        let before = choices(gateways, of: nodes)
        #expect(Set(before.values) == ["node-201", "node-202", "node-203"])
        for name in Set(before.values) { #expect(before.values.count { $0 == name } > 40, "the load is spread") }

        _ = gateways.update("node-202", node(202, TranslationGateway(isReady: false)))
        let failed = choices(gateways, of: nodes)
        #expect(failed.allSatisfy { before[$0] == "node-202" ? $1 != "node-202" : before[$0] == $1 })
        _ = gateways.update("node-202", nil)
        #expect(choices(gateways, of: nodes) == failed)
        _ = gateways.update("node-202", node(202, TranslationGateway()))
        #expect(choices(gateways, of: nodes) == before)

        _ = gateways.update("node-204", node(204, TranslationGateway()))
        let more = choices(gateways, of: nodes)
        #expect(more.allSatisfy { $1 == "node-204" || before[$0] == $1 } && more.values.contains("node-204"))
    }

    @Test(
        "A gateway's own packets leave by itself; where none is ready all count, and without any every node is its own")
    func lastResort() {
        var gateways = gateways([node(1), node(2, TranslationGateway(isReady: false))])
        #expect(gateways.gateway(of: "node-1") == "node-2" && gateways.gateway(of: "node-2") == "node-2")
        _ = gateways.update("node-2", node(2))
        #expect(gateways.isEmpty && gateways.gateway(of: "node-1") == nil)
        #expect(gateways.destinations(behind: "node-2", from: "node-1").isEmpty)
    }

    @Test("Nodes of one cluster network have different addresses, each that of its block's number")
    func addresses() {
        let gateways = gateways((0..<300).map { node($0) })
        #expect(Set((0..<300).map { gateways.address(of: "node-\($0)") }).count == 300)
        #expect(gateways.address(of: "node-7")?.description == "100.126.0.7")
        #expect(gateways.address(of: "node-300") == nil)
    }

    @Test(
        "Blocks of the same number get different addresses, the oldest the usual one, in whatever order agents hear of them"
    )
    func collisions() {
        var random = SeededGenerator(seed: 7)
        let nodes = (1...60).map { number in
            node(
                number, block: "fd00:\(number % 7):244:\(number % 20)::/64",
                created: "\(1000 + number)")
        }
        let expected = gateways(nodes)
        let addresses = nodes.map { expected.address(of: $0.name) }
        #expect(Set(addresses).count == 60 && !addresses.contains(nil))
        for number in 1...20 {
            #expect(addresses[number - 1]?.description == "100.126.0.\(Int("\(number % 20)", radix: 16) ?? -1)")
        }
        for _ in 0..<5 {
            var gateways = TranslationGateways()
            for node in nodes.shuffled(using: &random) {
                // On the way each of them is another one for a while.
                _ = gateways.update(node.name, self.node(9, block: "fd00:1:244:3::/64"))
                _ = gateways.update(node.name, node)
            }
            _ = gateways.update("node-99", node(99, block: "fd00:1:244:3::/64"))
            _ = gateways.update("node-99", nil)
            #expect(nodes.map { gateways.address(of: $0.name) } == addresses)
        }
    }

    @Test("Says of which other nodes a change may have changed the answers, and of none otherwise")
    func affected() {
        var gateways = gateways([node(1), node(2), node(3, TranslationGateway())])
        #expect(gateways.update("node-2", node(2)).isEmpty)
        #expect(gateways.update("node-4", node(4, TranslationGateway())) == ["node-3"])
        #expect(gateways.update("node-3", node(3, TranslationGateway(isReady: false))) == ["node-4"])
        #expect(gateways.update("node-5", node(5, block: "fd01:10:244:1::/64", created: "2021")) == [])
        // A sixth node takes the place of none, and the fifth has to look again whether it does.
        #expect(gateways.update("node-6", node(6)) == ["node-5"])
    }

    @Test("A node's gateway has everything behind it, and gateways have every node's address")
    func destinations() {
        let gateways = gateways([node(1), node(2), node(3, TranslationGateway())])
        func texts(_ name: String, from own: String) -> [String] {
            gateways.destinations(behind: name, from: own).map(\.description)
        }
        #expect(texts("node-3", from: "node-1") == ["100.126.0.3/32", "0.0.0.0/0"])
        #expect(texts("node-2", from: "node-1").isEmpty)
        #expect(texts("node-1", from: "node-3") == ["100.126.0.1/32"])
        #expect(texts("node-3", from: "node-3").isEmpty)
        #expect(gateways.nodes.filter { gateways.isSender($0, to: "node-3") }.sorted() == ["node-1", "node-2"])
        #expect(!gateways.nodes.contains { gateways.isSender($0, to: "node-1") })
    }
}
