import Controllers
import KubernetesAPI
import Testing

@Suite struct SchedulingTests {
    static func cluster(_ nodes: [Node], _ placed: [(Pod, String)] = []) -> ClusterState {
        var cluster = ClusterState()
        for node in nodes {
            cluster.setNode(node)
        }
        for (pod, node) in placed {
            cluster.place(pod, on: node)
        }
        return cluster
    }

    static let owner = OwnerReference(apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "r", controller: true)

    @Test func `Pods of one owner spread over the nodes`() {
        var cluster = Self.cluster([node("a"), node("b"), node("c")])
        var count: [String: Int] = [:]
        for index in 0..<9 {
            let pod = pod("p\(index)", owner: Self.owner, node: nil)
            guard case .node(let name) = cluster.choose(for: pod) else { continue }
            cluster.place(pod, on: name)
            count[name, default: 0] += 1
        }
        #expect(count == ["a": 3, "b": 3, "c": 3])
    }

    @Test func `A removed pod gives its resources back`() {
        let big = PodSpec(containers: [container(cpu: "2")])
        var cluster = Self.cluster([node("a")], [(pod("x", spec: big), "a")])
        #expect(
            cluster.choose(for: pod("y", node: nil, spec: big))
                == .unschedulable("0/1 nodes are available: 1 Insufficient cpu."))
        cluster.removePod(pod("x").key)
        #expect(cluster.choose(for: pod("y", node: nil, spec: big)) == .node("a"))
    }

    @Test(arguments: [
        (node("a"), PodSpec(containers: [container(memory: "5Gi")]), "Insufficient memory"),
        (node("a", pods: "0"), PodSpec(), "Too many pods"),
        (node("a", unschedulable: true), PodSpec(), "node(s) were unschedulable"),
        (
            node("a", taints: [Taint(key: "k", value: "v", effect: "NoSchedule")]), PodSpec(),
            "node(s) had untolerated taint {k: v}"
        ),
        (
            node("a", labels: ["disk": "hdd"]), PodSpec(nodeSelector: ["disk": "ssd"]),
            "node(s) didn't match Pod's node affinity/selector"
        ),
        (
            node("a"),
            Self.affine(fields: [LabelSelectorRequirement(key: "metadata.name", operator: "In", values: ["b"])]),
            "node(s) didn't match Pod's node affinity/selector"
        ),
        (
            node("a"), PodSpec(containers: [container(hostPort: 80)]),
            "node(s) didn't have free ports for the requested pod ports"
        ),
    ])
    func `What does not fit is said`(node: Node, spec: PodSpec, reason: String) {
        let occupant = pod("occupant", spec: PodSpec(containers: [container(hostPort: 80)]))
        let cluster = Self.cluster([node], [(occupant, "a")])
        #expect(
            cluster.choose(for: pod("p", node: nil, spec: spec))
                == .unschedulable("0/1 nodes are available: 1 \(reason)."))
    }

    /// Columns: two addresses of one port, whether both cannot be had.
    @Test(
        arguments: [
            ("", "", true), ("", "192.0.2.1", true), ("", "fd00::1", true), ("", "0.0.0.0", true), ("", "::", true),
            ("0.0.0.0", "192.0.2.1", true), ("0.0.0.0", "fd00::1", false), ("0.0.0.0", "::", true),
            ("::", "192.0.2.1", true), ("::", "fd00::1", true), ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1", "fd00::1", false),
        ])
    func `Ports of a node are taken by address`(first: String, second: String, isTaken: Bool) {
        func port(_ address: String, _ number: Int = 80, _ transport: String = "TCP") -> ClusterState.HostPort {
            ClusterState.HostPort(address: address, transport: transport, port: number)
        }
        #expect(port(first).conflicts(with: port(second)) == isTaken)
        #expect(port(second).conflicts(with: port(first)) == isTaken)
        #expect(!port(first).conflicts(with: port(second, 81)))
        #expect(!port(first).conflicts(with: port(second, 80, "UDP")))
    }

    @Test(arguments: [
        PodSpec(tolerations: [Toleration(key: "k", operator: "Exists")]),
        PodSpec(tolerations: [Toleration(operator: "Exists")]),
        PodSpec(tolerations: [Toleration(key: "k", value: "v", effect: "NoSchedule")]),
    ])
    func `Tolerated taints are no obstacle`(spec: PodSpec) {
        let cluster = Self.cluster([node("a", taints: [Taint(key: "k", value: "v", effect: "NoSchedule")])])
        #expect(cluster.choose(for: pod("p", node: nil, spec: spec)) == .node("a"))
    }

    @Test func `A daemon's affinity chooses its node`() {
        let spec = Self.affine(
            fields: [LabelSelectorRequirement(key: "metadata.name", operator: "In", values: ["b"])])
        #expect(Self.cluster([node("a"), node("b")]).choose(for: pod("p", node: nil, spec: spec)) == .node("b"))
    }

    @Test func `Preferences and free resources decide between fitting nodes`() {
        let cluster = Self.cluster(
            [node("a"), node("b", cpu: "8", memory: "32Gi"), node("c", labels: ["fast": "yes"])])
        let plain = pod("p", node: nil, spec: PodSpec(containers: [container(cpu: "1", memory: "1Gi")]))
        #expect(cluster.choose(for: plain) == .node("b"))
        let term = NodeSelectorTerm(matchExpressions: [LabelSelectorRequirement(key: "fast", operator: "Exists")])
        let preferring = PodSpec(
            containers: [container(cpu: "1", memory: "1Gi")],
            affinity: Affinity(
                nodeAffinity: NodeAffinity(
                    preferredDuringSchedulingIgnoredDuringExecution: [
                        PreferredSchedulingTerm(weight: 100, preference: term)
                    ])))
        #expect(cluster.choose(for: pod("p", node: nil, spec: preferring)) == .node("c"))
    }

    @Test(arguments: [
        ([], TaintPatience.seconds(0)),
        ([Toleration(operator: "Exists")], .unlimited),
        ([Toleration(key: "k", operator: "Exists", tolerationSeconds: 300)], .seconds(240)),
        ([Toleration(key: "k", operator: "Exists", tolerationSeconds: 30)], .seconds(0)),
    ])
    func `Pods leave a marked node when their patience ends`(tolerations: [Toleration], expected: TaintPatience) {
        let added = Timestamp(seconds: later.seconds - 60)
        let taint = Taint(key: "k", effect: "NoExecute", timeAdded: "\(added)")
        let pod = pod("p", spec: PodSpec(tolerations: tolerations))
        #expect(TaintPatience(pod: pod, taints: [taint], now: later) == expected)
    }

    static func affine(fields: [LabelSelectorRequirement]) -> PodSpec {
        let selector = NodeSelector(nodeSelectorTerms: [NodeSelectorTerm(matchFields: fields)])
        return PodSpec(
            affinity: Affinity(
                nodeAffinity: NodeAffinity(requiredDuringSchedulingIgnoredDuringExecution: selector)))
    }
}
