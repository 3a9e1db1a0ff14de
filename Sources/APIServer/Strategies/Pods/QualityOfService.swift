import JSON
import KubernetesAPI

/// The class of a pod under pressure on its node.
enum QualityOfService {
    /// `Guaranteed` if every container limits cpu and memory to what it requests, `BestEffort` if none says anything.
    static func of(_ spec: JSONValue) -> String {
        let resources = ["cpu", "memory"]
        var isGuaranteed = true
        var isBestEffort = true
        for container in spec.list("initContainers") + spec.list("containers") {
            for resource in resources {
                let request = amount(container.at("resources", "requests", resource))
                let limit = amount(container.at("resources", "limits", resource))
                if request > 0 || limit > 0 { isBestEffort = false }
                if limit == 0 || request != limit { isGuaranteed = false }
            }
        }
        if isBestEffort { return "BestEffort" }
        return isGuaranteed ? "Guaranteed" : "Burstable"
    }

    private static func amount(_ value: JSONValue?) -> Int64 {
        value?.string.flatMap(Quantity.init)?.milliValue ?? 0
    }
}
