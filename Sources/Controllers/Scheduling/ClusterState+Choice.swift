package import KubernetesAPI

extension ClusterState {
    /// The outcome of looking for a node.
    package enum Choice: Sendable, Hashable {
        /// The best node.
        case node(String)
        /// No node fits; the sentence says how many failed for which reason.
        case unschedulable(String)
    }

    /// Finds the best node for a pod among those that can take it.
    package func choose(for pod: Pod) -> Choice {
        let demand = Demand(pod)
        var reasons: [String: Int] = [:]
        var best: (name: String, score: Int64)?
        var total = 0
        let busiest = demand.owner.map { owner in nodes.values.map { $0.owners[owner] ?? 0 }.max() ?? 0 } ?? 0
        for (name, state) in nodes {
            guard let node = state.node else { continue }
            total += 1
            let failures = state.failures(pod, demand, node)
            guard failures.isEmpty else {
                for failure in failures {
                    reasons[failure, default: 0] += 1
                }
                continue
            }
            let score = state.score(pod, demand, node, busiest: busiest)
            // Names decide between equals, so that a decision can be repeated.
            if best.map({ (score, $0.name) > ($0.score, name) }) ?? true {
                best = (name, score)
            }
        }
        if let best {
            return .node(best.name)
        }
        let list = reasons.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
        return .unschedulable("0/\(total) nodes are available\(list.isEmpty ? "" : ": \(list)").")
    }
}

extension ClusterState.NodeState {
    /// Why the node cannot take the pod, in kube-scheduler's words; empty when it can.
    fileprivate func failures(_ pod: Pod, _ demand: ClusterState.Demand, _ node: Node) -> [String] {
        let spec = pod.spec ?? PodSpec()
        let tolerations = spec.tolerations ?? []
        if node.spec?.unschedulable == true {
            let taint = Taint(key: "node.kubernetes.io/unschedulable", effect: "NoSchedule")
            if !tolerations.contains(where: { $0.tolerates(taint) }) {
                return ["node(s) were unschedulable"]
            }
        }
        for taint in node.spec?.taints ?? [] where taint.effect != "PreferNoSchedule" {
            if !tolerations.contains(where: { $0.tolerates(taint) }) {
                return ["node(s) had untolerated taint {\(taint.key): \(taint.value ?? "")}"]
            }
        }
        if !spec.admits(node) {
            return ["node(s) didn't match Pod's node affinity/selector"]
        }
        for port in demand.hostPorts {
            for present in pods.values where present.hostPorts.contains(where: { $0.conflicts(with: port) }) {
                return ["node(s) didn't have free ports for the requested pod ports"]
            }
        }
        var failures: [String] = []
        let allocatable = node.status?.allocatable ?? [:]
        if let limit = allocatable["pods"]?.value, Int64(pods.count) + 1 > limit {
            failures.append("Too many pods")
        }
        if demand.milliCPU > 0, milliCPU + demand.milliCPU > allocatable["cpu"]?.milliValue ?? 0 {
            failures.append("Insufficient cpu")
        }
        if demand.memory > 0, memory + demand.memory > allocatable["memory"]?.value ?? 0 {
            failures.append("Insufficient memory")
        }
        for (name, amount) in demand.other
        where amount > 0 && (other[name] ?? 0) + amount > allocatable[name]?.value ?? 0 {
            failures.append("Insufficient \(name)")
        }
        return failures
    }

    /// Larger is better: first few pods of the same owner, then preferences, then free resources.
    fileprivate func score(_ pod: Pod, _ demand: ClusterState.Demand, _ node: Node, busiest: Int) -> Int64 {
        var score: Int64 = 0
        if let owner = demand.owner, busiest > 0 {
            score += 300 * Int64(busiest - (owners[owner] ?? 0)) / Int64(busiest)
        }
        let allocatable = node.status?.allocatable ?? [:]
        score += free(milliCPU + demand.milliCPU, of: allocatable["cpu"]?.milliValue)
        score += free(memory + demand.memory, of: allocatable["memory"]?.value)
        score += free(Int64(pods.count + 1), of: allocatable["pods"]?.value)
        for preference in pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
        where preference.preference.matches(node) {
            score += 2 * Int64(preference.weight)
        }
        for taint in node.spec?.taints ?? [] where taint.effect == "PreferNoSchedule" {
            if !(pod.spec?.tolerations ?? []).contains(where: { $0.tolerates(taint) }) {
                score -= 100
            }
        }
        return score
    }

    /// Share that would remain free, in hundredths.
    private func free(_ used: Int64, of total: Int64?) -> Int64 {
        guard let total, total > 0 else { return 0 }
        return max(0, Int64(100 * (Double(total - used) / Double(total))))
    }
}
