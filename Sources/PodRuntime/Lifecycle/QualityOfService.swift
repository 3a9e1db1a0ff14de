package import KubernetesAPI

/// How firmly a pod's resources are promised.
package enum QualityOfService: String, Sendable, Hashable {
    /// Every container has limits on processor and memory and requests equal to them.
    case guaranteed = "Guaranteed"
    /// Some container requests or limits something.
    case burstable = "Burstable"
    /// No container requests or limits anything.
    case bestEffort = "BestEffort"

    /// The class of a pod.
    package init(of spec: PodSpec) {
        let all = ((spec.initContainers ?? []) + spec.containers).map { $0.resources ?? ResourceRequirements() }
        let names = ["cpu", "memory"]
        func amount(_ amounts: [String: Quantity]?, _ name: String) -> Int64 { amounts?[name]?.milliValue ?? 0 }
        let asksNothing = all.allSatisfy { resources in
            names.allSatisfy { amount(resources.requests, $0) == 0 && amount(resources.limits, $0) == 0 }
        }
        let isFirm = all.allSatisfy { resources in
            names.allSatisfy { name in
                let limit = amount(resources.limits, name)
                return limit > 0 && (resources.requests?[name] == nil || amount(resources.requests, name) == limit)
            }
        }
        self = asksNothing ? .bestEffort : isFirm ? .guaranteed : .burstable
    }
}
