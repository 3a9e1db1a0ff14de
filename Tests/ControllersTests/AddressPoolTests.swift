import Addresses
import Controllers
import JSON
import KubernetesAPI
import KubernetesClient
import Testing

@Suite struct AddressPoolTests {
    /// A pool for pods; prefixes in brackets are draining.
    static func pool(
        _ name: String, _ prefixes: [String], four: Int = 26, six: Int = 64, purpose: String = AddressPoolSpec.pods,
        selector: NodeSelector? = nil
    ) -> AddressPool {
        AddressPool(
            metadata: ObjectMeta(name: name),
            spec: AddressPoolSpec(
                purpose: purpose, prefixes: Self.entries(prefixes), nodeSelector: selector,
                blockSize: purpose == AddressPoolSpec.pods ? AddressBlockSize(ipv4: four, ipv6: six) : nil))
    }

    static func entries(_ prefixes: [String]) -> [AddressPoolPrefix] {
        prefixes.map { text in
            text.hasPrefix("(")
                ? AddressPoolPrefix(cidr: String(text.dropFirst().dropLast()), state: AddressPoolPrefix.draining)
                : AddressPoolPrefix(cidr: text, state: AddressPoolPrefix.active)
        }
    }

    static func label(_ key: String, _ value: String) -> LabelSelectorRequirement {
        LabelSelectorRequirement(key: key, operator: "In", values: [value])
    }

    @Test(
        arguments: [
            (nil, 0, "no selector"), (["a"], 1, "one label"), (["a", "b"], 2, "two labels"),
            (["a", "x"], nil, "no match"),
        ] as [([String]?, Int?, String)])
    func `A selector that says more suits better`(keys: [String]?, expected: Int?, remark: String) {
        let selector = keys.map { keys in
            NodeSelector(nodeSelectorTerms: [
                NodeSelectorTerm(matchExpressions: keys.map { Self.label($0, "1") })
            ])
        }
        let pool = Self.pool("p", ["10.0.0.0/24"], selector: selector)
        #expect(pool.specificity(for: node("n", labels: ["a": "1", "b": "1"])) == expected, "\(remark)")
    }

    @Test func `A pool tells its capacity, and when it is empty or drained`() throws {
        let used = try #require(IPPrefix("10.12.0.0/22"))
        let free: [IPFamily: UInt128] = [.ipv4: 0, .ipv6: 5]
        let pool = Self.pool("p", ["(10.12.0.0/22)", "10.77.16.0/23", "2001:db8::/32"])
        let busy = AddressPoolStatus(
            of: pool, PoolUsage(allocated: [used: 3], free: free), leftovers: [used: ["a"]], replacing: nil, at: later)
        #expect(busy.ipv4 == AddressPoolUsage(capacity: 8, allocated: 3))
        #expect(busy.ipv6 == AddressPoolUsage(capacity: 1 << 32, allocated: 0))
        #expect(busy.prefixes?.first == AddressPrefixUsage(cidr: "10.12.0.0/22", capacity: 16, allocated: 3))
        #expect(busy.conditions?["Ready"]?.status == "True")
        #expect(busy.conditions?["Exhausted"]?.message == "The pool has no free block of IPv4: add a prefix")
        #expect(busy.conditions?["Drained"]?.message == "Nodes have 2 blocks of draining prefixes in use")
        let done = AddressPoolStatus(
            of: pool, PoolUsage(allocated: [used: 1], free: free), leftovers: [used: ["a"]], replacing: busy, at: later)
        #expect(done.conditions?["Drained"]?.status == "True")
        #expect(done.conditions?["Drained"]?.message?.contains("stay in spec.podCIDRs of a until") == true)
        let huge = Self.pool("p", ["2001:db8::/32"], six: 124)
        let status = AddressPoolStatus(
            of: huge, PoolUsage(allocated: [:], free: [.ipv6: 1]), leftovers: [:], replacing: nil, at: later)
        #expect(status.ipv6?.capacity == .max)
        #expect(status.conditions?["Drained"] == nil)
    }

    // MARK: With a server

    private static let fragments = ["10.12.0.0/22", "10.77.16.0/23", "192.168.200.0/24", "2001:db8:7::/48"]

    private static func blocks(of node: String, _ plane: ControlPlane) async throws -> [String] {
        let network = try await plane.client.get(NodeNetwork.self, namespace: nil, name: node)
        return (network.spec?.blocks ?? []).map { $0.isReleasing ? "(\($0.cidr))" : $0.cidr }
    }

    /// Says what a node's agent would say: some addresses of each block are in use, the state is in effect.
    private static func report(_ used: [String: Int], of node: String, _ plane: ControlPlane) async throws {
        let network = try await plane.client.get(NodeNetwork.self, namespace: nil, name: node)
        let reports = (network.spec?.blocks ?? []).map { block in
            NodeBlockUsage(cidr: block.cidr, used: used[block.cidr] ?? 0, capacity: 61, state: block.state)
        }
        try await plane.client.patch(
            NodeNetwork.self, namespace: nil, name: node, subresource: "status",
            patch: ["status": ["blocks": try JSONValueEncoder().encode(reports)]])
    }

    private static func set(_ prefixes: [String], of pool: String, _ plane: ControlPlane) async throws {
        try await plane.client.patch(
            AddressPool.self, namespace: nil, name: pool,
            patch: ["spec": ["prefixes": try JSONValueEncoder().encode(entries(prefixes))]])
    }

    @Test func `The flags make the default pool, and nodes get its blocks`() async throws {
        try await ControlPlane.run { plane in
            try await plane.addNode("n1")
            try await plane.eventually("blocks in podCIDRs and NodeNetwork") {
                let node = try await plane.client.get(Node.self, namespace: nil, name: "n1")
                let blocks = try await Self.blocks(of: "n1", plane)
                return node.podCIDRs == ["10.244.0.0/24", "fd00:10:244::/64"] && blocks == node.podCIDRs
            }
            let pool = try await plane.client.get(AddressPool.self, namespace: nil, name: "default")
            #expect(pool.spec?.prefixes.map(\.cidr) == ["10.244.0.0/16", "fd00:10:244::/56"])
            #expect(pool.spec?.blockSize == AddressBlockSize(ipv4: 24, ipv6: 64))
            try await plane.eventually("the pool counts") {
                let status = try await plane.client.get(AddressPool.self, namespace: nil, name: "default").status
                return status?.ipv4 == AddressPoolUsage(capacity: 256, allocated: 1)
            }
            try await plane.client.delete(Node.self, namespace: nil, name: "n1")
            try await plane.eventually("the node's blocks are free, and its NodeNetwork is gone") {
                let status = try await plane.client.get(AddressPool.self, namespace: nil, name: "default").status
                let networks = try await plane.client.list(NodeNetwork.self).items
                return status?.ipv4?.allocated == 0 && networks.isEmpty
            }
        }
    }

    @Test func `A cluster lives on fragments: blocks come, go, and leave a draining prefix`() async throws {
        try await ControlPlane.run(clusterCIDRs: [], blockReturnSeconds: 1) { plane in
            try await plane.addNode("n1")
            try await plane.client.create(Self.pool("left", Self.fragments))
            try await plane.eventually("a node that waited gets its first blocks") {
                try await Self.blocks(of: "n1", plane) == ["10.12.0.0/26", "2001:db8:7::/64"]
            }
            try await Self.report(["10.12.0.0/26": 60], of: "n1", plane)
            try await plane.eventually("a further block when the first is used up") {
                try await Self.blocks(of: "n1", plane) == ["10.12.0.0/26", "2001:db8:7::/64", "10.12.0.64/26"]
            }
            try await Self.report(["10.12.0.0/26": 5], of: "n1", plane)
            try await plane.eventually("the empty one goes after a while") {
                try await Self.blocks(of: "n1", plane) == ["10.12.0.0/26", "2001:db8:7::/64", "(10.12.0.64/26)"]
            }
            try await Self.report(["10.12.0.0/26": 5], of: "n1", plane)
            try await plane.eventually("and is free when the node agrees") {
                try await Self.blocks(of: "n1", plane) == ["10.12.0.0/26", "2001:db8:7::/64"]
            }
            let drained = ["(10.12.0.0/22)"] + Self.fragments.dropFirst()
            try await Self.set(drained, of: "left", plane)
            try await plane.eventually("a replacement for the block of the draining prefix") {
                try await Self.blocks(of: "n1", plane) == ["(10.12.0.0/26)", "2001:db8:7::/64", "10.77.16.0/26"]
            }
            try await Self.report([:], of: "n1", plane)
            try await plane.eventually("drained as far as possible") {
                let pool = try await plane.client.get(AddressPool.self, namespace: nil, name: "left")
                return pool.status?.conditions?["Drained"]?.status == "True"
            }
            let error = await #expect(throws: StatusError.self) {
                try await Self.set(Array(Self.fragments.dropFirst()), of: "left", plane)
            }
            #expect(error?.message.contains("10.12.0.0/22 has blocks in use") == true)
            try await plane.client.delete(Node.self, namespace: nil, name: "n1")
            try await plane.eventually("without the node the prefix can go") {
                try await Self.set(Array(Self.fragments.dropFirst()), of: "left", plane)
                return true
            }
        }
    }

    @Test func `A pool in use stays until its last block is back`() async throws {
        try await ControlPlane.run(clusterCIDRs: []) { plane in
            try await plane.client.create(Self.pool("a", ["10.12.0.0/26"]))
            try await plane.addNode("n1")
            try await plane.addNode("n2")
            try await plane.eventually("one node is served, the other is told that it has to wait") {
                let nodes = try await plane.client.list(Node.self).items
                let events = try await plane.client.list(Event.self, namespace: "default").items
                return nodes.filter { !$0.podCIDRs.isEmpty }.count == 1
                    && events.contains { $0.reason == "CIDRNotAvailable" }
            }
            try await plane.client.create(Self.pool("b", ["10.77.16.0/23"]))
            try await plane.eventually("a new pool serves it") {
                try await plane.client.list(Node.self).items.allSatisfy { !$0.podCIDRs.isEmpty }
            }
            try await plane.client.delete(AddressPool.self, namespace: nil, name: "a")
            try await plane.eventually("the pool says what it waits for") {
                let pool = try await plane.client.get(AddressPool.self, namespace: nil, name: "a")
                return pool.status?.conditions?["Ready"]?.reason == "Terminating"
            }
            for node in ["n1", "n2"] { try await plane.client.delete(Node.self, namespace: nil, name: node) }
            try await plane.eventually("the pool is gone") {
                try await plane.client.list(AddressPool.self).items.map(\.name) == ["b"]
            }
        }
    }

    @Test func `A block that cannot be written goes back, the node says so, and gets it once it can`() async throws {
        try await ControlPlane.run(clusterCIDRs: []) { plane in
            let complete = try await plane.client.get(ClusterRole.self, namespace: nil, name: "duet:controllers")
            func setRules(_ rules: [JSONValue]?) async throws {
                var role = try await plane.client.get(ClusterRole.self, namespace: nil, name: complete.name)
                role.rules = rules
                try await plane.client.update(role)
            }
            // They write pools, but not nodes.
            let others: JSONValue = ["verbs": ["patch"], "apiGroups": ["network.duet.dev"], "resources": ["*"]]
            try await setRules(
                (complete.rules ?? []).map { rule in
                    guard rule["resources"] == ["*"] else { return rule }
                    var rule = rule
                    rule["verbs"] = .array((rule["verbs"]?.array ?? []).filter { $0 != "patch" })
                    return rule
                } + [others])
            // One block, so that one that is not given back could never be given.
            try await plane.client.create(Self.pool("left", ["10.12.0.0/26"]))
            try await plane.addNode("n1")
            try await plane.eventually("the node is told what failed") {
                let events = try await plane.client.list(Event.self, namespace: "default").items
                return events.contains {
                    $0.reason == "CIDRAssignmentFailed" && $0.involvedObject.name == "n1"
                        && $0.message == "Node n1 status is now: CIDRAssignmentFailed"
                }
            }
            #expect(try await plane.client.get(Node.self, namespace: nil, name: "n1").podCIDRs.isEmpty)
            try await plane.client.delete(Node.self, namespace: nil, name: "n1")
            try await setRules(complete.rules)
            try await plane.addNode("n2")
            try await plane.eventually("the block is free for another node") {
                try await plane.client.get(Node.self, namespace: nil, name: "n2").podCIDRs == ["10.12.0.0/26"]
            }
        }
    }

    @Test func `A NodeNetwork that somebody deletes comes back as it was`() async throws {
        try await ControlPlane.run(clusterCIDRs: []) { plane in
            try await plane.client.create(Self.pool("left", Self.fragments))
            try await plane.addNode("n1")
            try await plane.eventually("first blocks") { try await Self.blocks(of: "n1", plane).count == 2 }
            try await Self.report(["10.12.0.0/26": 60], of: "n1", plane)
            try await plane.eventually("a further block") { try await Self.blocks(of: "n1", plane).count == 3 }
            let before = try await Self.blocks(of: "n1", plane)
            try await plane.client.delete(NodeNetwork.self, namespace: nil, name: "n1")
            try await plane.eventually("all of them again") { try await Self.blocks(of: "n1", plane) == before }
        }
    }

    @Test func `A pool for Services makes ServiceCIDRs, and draining unmakes them`() async throws {
        try await ControlPlane.run(clusterCIDRs: []) { plane in
            let pool = Self.pool("more", ["10.50.0.0/24", "fd00:50::/112"], purpose: AddressPoolSpec.services)
            try await plane.client.create(pool)
            let ranges = { () async throws -> [String] in
                try await plane.client.list(Range.self).items.map(\.name).sorted()
            }
            try await plane.eventually("a ServiceCIDR for each prefix") {
                try await ranges() == ["kubernetes", "more-10-50-0-0-24", "more-fd00-50---112"]
            }
            try await Self.set(["(10.50.0.0/24)", "fd00:50::/112"], of: "more", plane)
            try await plane.eventually("the draining one goes", within: .seconds(40)) {
                try await ranges() == ["kubernetes", "more-fd00-50---112"]
            }
            try await plane.client.delete(AddressPool.self, namespace: nil, name: "more")
            try await plane.eventually("all go with the pool", within: .seconds(40)) {
                let pools = try await plane.client.list(AddressPool.self).items
                return try await ranges() == ["kubernetes"] && pools.isEmpty
            }
        }
    }

    private struct Range: KubernetesObject {
        static var resource: Resource { .serviceCIDRs }
        var metadata: ObjectMeta
    }
}
