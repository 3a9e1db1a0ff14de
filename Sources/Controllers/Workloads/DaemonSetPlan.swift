package import JSON
package import KubernetesAPI

/// What must happen for a DaemonSet to have one pod on every eligible node.
package struct DaemonSetPlan: Sendable {
    /// Nodes that need a pod.
    package private(set) var create: [String] = []
    /// Pods to delete: misplaced, doubled, ended, or of an old template.
    package private(set) var delete: [Pod] = []
    /// Status to write.
    package private(set) var status: DaemonSetStatus
    /// Seconds until a ready pod becomes available.
    package private(set) var nextAvailable: Double?

    /// Label with the hash of the template that made a pod.
    package static let revisionLabel = "controller-revision-hash"

    /// Taints that every daemon bears, because it serves the node itself.
    private static let tolerations: [Toleration] = [
        Toleration(key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute"),
        Toleration(key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute"),
        Toleration(key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule"),
        Toleration(key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule"),
        Toleration(key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule"),
        Toleration(key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule"),
    ]

    /// Tolerations that a daemon of this template has beyond its own.
    private static func tolerations(_ spec: PodSpec) -> [Toleration] {
        guard spec.hostNetwork == true else { return tolerations }
        return tolerations
            + [Toleration(key: "node.kubernetes.io/network-unavailable", operator: "Exists", effect: "NoSchedule")]
    }

    /// Compares a DaemonSet with the nodes and its pods.
    package init(_ set: DaemonSet, nodes: [Node], pods: [Pod], now: Timestamp) throws {
        let template = try set.spec?.template.map { try JSONValueDecoder().decode(PodTemplateSpec.self, from: $0) }
        let spec = template?.spec ?? PodSpec()
        let hash = PodTemplate.hash(set.spec?.template, collisions: nil)
        let minReady = set.spec?.minReadySeconds ?? 0
        status = set.status ?? DaemonSetStatus()
        let tolerations = (spec.tolerations ?? []) + Self.tolerations(spec)
        let eligible = nodes.filter { Self.isEligible($0, spec, tolerations, isRunning: false) }
        let mayStay = Set(nodes.filter { Self.isEligible($0, spec, tolerations, isRunning: true) }.map(\.name))
        var byNode: [String: [Pod]] = [:]
        for pod in pods {
            byNode[Self.target(of: pod), default: []].append(pod)
        }
        var updated = 0
        var available = 0
        var ready = 0
        var current = 0
        var replaceable: [Pod] = []
        var unavailable = 0
        for node in eligible {
            let all = byNode[node.name] ?? []
            let ended = all.filter { $0.isFinished && !$0.isBeingDeleted }
            delete += ended
            let active = all.filter(\.isActive).sorted { Self.age($0) < Self.age($1) }
            delete += active.dropFirst()
            guard let pod = active.first else {
                unavailable += 1
                // The predecessor's end is waited for, so that host ports are free.
                if !all.contains(where: \.isBeingDeleted) {
                    create.append(node.name)
                }
                continue
            }
            current += 1
            let isUpdated = pod.metadata.labels?[Self.revisionLabel] == hash
            updated += isUpdated ? 1 : 0
            ready += pod.isReady ? 1 : 0
            let isAvailable = pod.isAvailable(minReadySeconds: minReady, now: now)
            available += isAvailable ? 1 : 0
            unavailable += isAvailable ? 0 : 1
            if pod.isReady, !isAvailable {
                let wait = pod.secondsUntilAvailable(minReadySeconds: minReady, now: now)
                nextAvailable = min(nextAvailable ?? wait, wait)
            }
            if !isUpdated {
                replaceable.append(pod)
            }
        }
        let names = Set(eligible.map(\.name))
        var misplaced = 0
        for (node, pods) in byNode where !names.contains(node) {
            let active = pods.filter { !$0.isBeingDeleted }
            misplaced += active.isEmpty ? 0 : 1
            if !mayStay.contains(node) {
                delete += active
            }
        }
        status.desiredNumberScheduled = eligible.count
        status.currentNumberScheduled = current
        status.numberMisscheduled = misplaced
        status.numberReady = ready
        status.updatedNumberScheduled = updated
        status.numberAvailable = available
        status.numberUnavailable = eligible.count - available
        status.observedGeneration = set.metadata.generation
        guard !set.isBeingDeleted else {
            create = []
            delete = []
            return
        }
        if set.spec?.updateStrategy?.type != "OnDelete" {
            replace(replaceable, unavailable: unavailable, of: eligible.count, set, minReady, now)
        }
    }

    /// Deletes pods of old templates as far as the update strategy lets pods be missing.
    private mutating func replace(
        _ pods: [Pod], unavailable: Int, of total: Int, _ set: DaemonSet, _ minReady: Int, _ now: Timestamp
    ) {
        let setting = set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1
        // Rounded up and at least one: with none the update would never move.
        let limit = max(1, setting.scaled(of: total, roundingUp: true) ?? 1)
        var room = limit - unavailable
        for pod in pods {
            if !pod.isAvailable(minReadySeconds: minReady, now: now) {
                delete.append(pod)
            } else if room > 0 {
                delete.append(pod)
                room -= 1
            }
        }
    }

    private static func isEligible(_ node: Node, _ spec: PodSpec, _ tolerations: [Toleration], isRunning: Bool) -> Bool
    {
        guard spec.admits(node) else { return false }
        return (node.spec?.taints ?? []).allSatisfy { taint in
            switch taint.effect {
            case "NoExecute": tolerations.contains { $0.tolerates(taint) }
            case "NoSchedule": isRunning || tolerations.contains { $0.tolerates(taint) }
            default: true
            }
        }
    }

    private static func age(_ pod: Pod) -> (Int, String, String) {
        ((pod.spec?.nodeName ?? "").isEmpty ? 1 : 0, pod.metadata.creationTimestamp ?? "", pod.name)
    }

    /// The node that a pod is on, or is made for.
    private static func target(of pod: Pod) -> String {
        if let name = pod.spec?.nodeName, !name.isEmpty {
            return name
        }
        let terms =
            pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
        return terms.lazy.compactMap { $0.matchFields?.first { $0.key == "metadata.name" }?.values?.first }.first ?? ""
    }

    /// The pod for one node: the scheduler brings it there and nowhere else.
    package static func pod(of set: DaemonSet, for node: String) throws -> JSONValue {
        let template = set.spec?.template ?? .null
        let hash = PodTemplate.hash(template, collisions: nil)
        var pod = try PodTemplate.pod(from: template, owner: set, labels: [revisionLabel: hash])
        let term: JSONValue = [
            "matchFields": [["key": "metadata.name", "operator": "In", "values": [.string(node)]]]
        ]
        pod.set(
            ["nodeSelectorTerms": [term]], at: "spec", "affinity", "nodeAffinity",
            "requiredDuringSchedulingIgnoredDuringExecution")
        let spec = try JSONValueDecoder().decode(PodTemplateSpec.self, from: template).spec ?? PodSpec()
        let own = pod.at("spec", "tolerations")?.array ?? []
        let added = try tolerations(spec).map { try JSONValueEncoder().encode($0) }
        pod.set(.array(own + added), at: "spec", "tolerations")
        return pod
    }
}
