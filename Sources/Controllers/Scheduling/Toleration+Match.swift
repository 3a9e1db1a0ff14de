package import KubernetesAPI

extension Toleration {
    /// True when a pod with this toleration bears the taint.
    package func tolerates(_ taint: Taint) -> Bool {
        if let effect, !effect.isEmpty, effect != taint.effect {
            return false
        }
        let key = key ?? ""
        if !key.isEmpty, key != taint.key {
            return false
        }
        switch `operator` ?? "" {
        case "Exists": return true
        case "", "Equal": return !key.isEmpty && (value ?? "") == (taint.value ?? "")
        default: return false
        }
    }
}

/// How long a pod stays on a node with `NoExecute` taints.
package enum TaintPatience: Sendable, Hashable {
    /// It bears every taint for ever.
    case unlimited
    /// It must go after so many seconds, zero meaning at once.
    case seconds(Double)

    /// Finds the earliest end among the pod's tolerations of the taints.
    package init(pod: Pod, taints: [Taint], now: Timestamp) {
        let tolerations = pod.spec?.tolerations ?? []
        var end: Double?
        for taint in taints {
            let matching = tolerations.filter { $0.tolerates(taint) }
            guard !matching.isEmpty else {
                self = .seconds(0)
                return
            }
            guard let limit = matching.compactMap(\.tolerationSeconds).min() else { continue }
            let since = taint.timeAdded.flatMap { Timestamp($0) } ?? now
            let rest = max(0, Double(limit) - now.seconds(since: since))
            end = min(end ?? rest, rest)
        }
        self = end.map { .seconds($0) } ?? .unlimited
    }
}
