import Controllers
import JSON
import KubernetesAPI
import Testing

@Suite struct ReplicaSetTests {
    static func set(_ replicas: Int, minReady: Int? = nil) -> ReplicaSet {
        ReplicaSet(
            metadata: ObjectMeta(name: "r", namespace: "default", uid: "r"),
            spec: ReplicaSetSpec(
                replicas: replicas, minReadySeconds: minReady, selector: LabelSelector(matchLabels: ["app": "web"]),
                template: ["metadata": ["labels": ["app": "web"]], "spec": ["containers": []]]))
    }

    @Test(arguments: [(0, 3, 3, 0), (3, 3, 0, 0), (5, 3, 0, 2), (1, 0, 0, 1), (0, 1000, 500, 0)])
    func `The number of pods is restored`(present: Int, desired: Int, create: Int, delete: Int) {
        let plan = ReplicaSetPlan(Self.set(desired), pods: (0..<present).map { pod("p\($0)") }, now: later)
        #expect(plan.create == create)
        #expect(plan.delete.count == delete)
        #expect(plan.fullyLabeled == present)
    }

    @Test func `Ended and ending pods are replaced`() {
        let pods = [pod("a", phase: "Failed"), pod("b", deleting: true), pod("c")]
        #expect(ReplicaSetPlan(Self.set(3), pods: pods, now: later).create == 2)
    }

    @Test func `Pods go in the order of least loss`() {
        let pods = [
            pod("old", readySince: "2024-01-01T00:00:00Z"),
            pod("young", readySince: "2024-06-01T00:00:00Z"),
            pod("restarted", restarts: 3),
            pod("cheap", annotations: ["controller.kubernetes.io/pod-deletion-cost": "-1"]),
            pod("crowded1", node: "n2"), pod("crowded2", node: "n2"),
            pod("unready", ready: false),
            pod("pending", ready: false, phase: "Pending"),
            pod("unbound", node: nil, ready: false, phase: "Pending"),
        ]
        let order = ReplicaSetPlan.inOrderOfDeletion(pods, now: later).map(\.name)
        #expect(Array(order.prefix(4)) == ["unbound", "pending", "unready", "cheap"])
        #expect(order[4] == "young")
        #expect(order[5] == "restarted")
        #expect(Set(order.suffix(2)) == ["crowded1", "crowded2"])
    }

    @Test func `A pod counts as available when it has been ready for long enough`() {
        let since = Timestamp(seconds: later.seconds - 20)
        let counts = ReplicaSetPlan(
            Self.set(2, minReady: 30), pods: [pod("a"), pod("b", readySince: "\(since)")], now: later
        ).counts
        #expect(counts.ready == 2)
        #expect(counts.available == 1)
        #expect(counts.nextAvailable == 10)
    }
}

@Suite struct PodTemplateTests {
    @Test func `Templates compare without the hash label and nulls`() {
        let left: JSONValue = ["metadata": ["labels": ["a": "b"], "creationTimestamp": .null], "spec": ["x": 1]]
        let right: JSONValue = ["spec": ["x": 1], "metadata": ["labels": ["pod-template-hash": "h", "a": "b"]]]
        #expect(PodTemplate.areEqual(left, right))
        #expect(PodTemplate.hash(left, collisions: nil) == PodTemplate.hash(right, collisions: nil))
        #expect(PodTemplate.hash(left, collisions: nil) != PodTemplate.hash(left, collisions: 1))
        #expect(!PodTemplate.areEqual(left, ["spec": ["x": 2]]))
    }
}

@Suite struct DaemonSetTests {
    static func set() -> DaemonSet {
        DaemonSet(
            metadata: ObjectMeta(name: "d", namespace: "default", uid: "d"),
            spec: DaemonSetSpec(
                selector: LabelSelector(matchLabels: ["app": "web"]),
                template: ["metadata": ["labels": ["app": "web"]], "spec": ["containers": []]]))
    }

    static var hash: String { PodTemplate.hash(set().spec?.template, collisions: nil) }

    static func daemon(_ name: String, on node: String, hash: String = hash, ready: Bool = true) -> Pod {
        pod(name, labels: ["app": "web", DaemonSetPlan.revisionLabel: hash], node: node, ready: ready)
    }

    @Test func `Every eligible node gets one pod`() throws {
        let nodes = [
            node("a"), node("b"), node("c", taints: [Taint(key: "k", effect: "NoSchedule")]),
            node("d", taints: [Taint(key: "node.kubernetes.io/unschedulable", effect: "NoSchedule")]),
        ]
        let pods = [Self.daemon("a1", on: "a"), Self.daemon("a2", on: "a"), Self.daemon("c1", on: "c")]
        let plan = try DaemonSetPlan(Self.set(), nodes: nodes, pods: pods, now: later)
        #expect(plan.create == ["b", "d"])
        #expect(plan.delete.map(\.name) == ["a2"])
        #expect(plan.status.desiredNumberScheduled == 3)
        #expect(plan.status.numberReady == 1)
        #expect(plan.status.numberMisscheduled == 1)
    }

    @Test func `Old pods are replaced one at a time, unavailable ones at once`() throws {
        let nodes = [node("a"), node("b"), node("c")]
        let old = nodes.map { Self.daemon("p\($0.name)", on: $0.name, hash: "old") }
        let first = try DaemonSetPlan(Self.set(), nodes: nodes, pods: old, now: later)
        #expect(first.delete.count == 1)
        #expect(first.status.updatedNumberScheduled == 0)
        let half = [Self.daemon("n", on: "a", ready: false), old[1], old[2]]
        #expect(try DaemonSetPlan(Self.set(), nodes: nodes, pods: half, now: later).delete.isEmpty)
        let broken = [old[0], old[1], Self.daemon("x", on: "c", hash: "old", ready: false)]
        #expect(try DaemonSetPlan(Self.set(), nodes: nodes, pods: broken, now: later).delete.map(\.name) == ["x"])
    }

    @Test func `A pod is made for its node`() throws {
        let made = try Pod(json: DaemonSetPlan.pod(of: Self.set(), for: "b"))
        let terms = made.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
        #expect(terms?.nodeSelectorTerms.first?.matchFields?.first?.values == ["b"])
        #expect(made.spec?.tolerations?.contains { $0.key == "node.kubernetes.io/not-ready" } ?? false)
        #expect(made.metadata.controllerOwner?.uid == "d")
        #expect(made.metadata.generateName == "d-")
    }
}
