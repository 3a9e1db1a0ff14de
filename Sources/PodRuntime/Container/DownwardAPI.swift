package import KubernetesAPI

/// What a pod may learn about itself.
package struct DownwardAPI: Sendable {
    /// The pod, with the addresses it has now in its status.
    let pod: Pod
    /// What a container without a limit may use of the node, by resource name.
    let nodeAllocatable: [String: Quantity]

    /// Creates the view of one pod.
    package init(pod: Pod, nodeAllocatable: [String: Quantity]) {
        self.pod = pod
        self.nodeAllocatable = nodeAllocatable
    }

    /// The value of a field such as `metadata.labels['app']` or `status.podIPs`; nil for a path that is not offered.
    package func field(_ path: String) -> String? {
        if path.hasSuffix("']"), let open = path.firstRange(of: "['") {
            let key = String(path[open.upperBound...].dropLast(2))
            switch path[..<open.lowerBound] {
            case "metadata.labels": return pod.metadata.labels?[key] ?? ""
            case "metadata.annotations": return pod.metadata.annotations?[key] ?? ""
            default: return nil
            }
        }
        switch path {
        case "metadata.name": return pod.name
        case "metadata.namespace": return pod.namespace
        case "metadata.uid": return pod.metadata.uid ?? ""
        case "metadata.labels": return Self.lines(pod.metadata.labels)
        case "metadata.annotations": return Self.lines(pod.metadata.annotations)
        case "spec.nodeName": return pod.spec?.nodeName ?? ""
        case "spec.serviceAccountName": return pod.spec?.serviceAccountName ?? "default"
        case "status.podIP": return pod.status?.podIP ?? ""
        case "status.podIPs": return (pod.status?.podIPs ?? []).map(\.ip).joined(separator: ",")
        case "status.hostIP": return pod.status?.hostIP ?? ""
        case "status.hostIPs": return (pod.status?.hostIPs ?? []).map(\.ip).joined(separator: ",")
        default: return nil
        }
    }

    /// The value of `limits.cpu` and the like in units of the divisor, rounded up; nil for a name that is not offered.
    package func resource(_ selector: ResourceFieldSelector, of container: String) -> String? {
        let name = selector.containerName ?? container
        guard let resources = (pod.spec?.allContainers ?? []).first(where: { $0.name == name })?.resources,
            let dot = selector.resource.firstIndex(of: ".")
        else { return nil }
        let kind = selector.resource[..<dot]
        let key = String(selector.resource[selector.resource.index(after: dot)...])
        let limit = resources.limits?[key]
        let amount: Quantity?
        switch kind {
        case "limits": amount = limit ?? nodeAllocatable[key]
        case "requests": amount = resources.requests?[key] ?? limit ?? Quantity(0)
        default: return nil
        }
        guard let amount else { return nil }
        let divisor = selector.divisor.flatMap { $0.milliValue > 0 ? $0 : nil } ?? Quantity(1)
        if key == "cpu" {
            return String(Self.quotient(amount.milliValue, divisor.milliValue))
        }
        return String(Self.quotient(amount.value, max(1, divisor.value)))
    }

    private static func quotient(_ amount: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = amount.quotientAndRemainder(dividingBy: divisor)
        return remainder > 0 ? quotient + 1 : quotient
    }

    /// One `key="value"` line for each pair, by key, with the value quoted as Go's `%q` does for common text.
    private static func lines(_ pairs: [String: String]?) -> String {
        (pairs ?? [:]).sorted { $0.key < $1.key }
            .map { pair in
                let escaped = pair.value.flatMap { character -> String in
                    switch character {
                    case "\\": "\\\\"
                    case "\"": "\\\""
                    case "\n": "\\n"
                    case "\t": "\\t"
                    case "\r": "\\r"
                    default: String(character)
                    }
                }
                return "\(pair.key)=\"\(String(escaped))\""
            }
            .joined(separator: "\n")
    }
}

extension PodSpec {
    /// Init containers, then containers, then those that were added later.
    package var allContainers: [Container] {
        (initContainers ?? []) + containers + (ephemeralContainers ?? []).map(\.container)
    }
}
