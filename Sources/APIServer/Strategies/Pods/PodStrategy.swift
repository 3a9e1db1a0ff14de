package import JSON
package import KubernetesAPI

/// Pods.
package struct PodStrategy: ObjectStrategy {
    private static let evictionDelay: JSONValue = 300
    private static let priorities: [String: JSONValue] = [
        "system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000,
    ]

    package let resource = Resource.pods
    package let hasStatus = true

    package init() {}

    package func prepare(_ object: inout JSONValue, _ context: AdmissionContext) throws(StatusError) {
        try TokenVolume.prepare(&object, context.lookup)
    }

    package func begin(_ object: inout JSONValue) {
        var spec = object["spec"] ?? [:]
        PodDefaults.apply(to: &spec)
        spec.setDefault("enableServiceLinks", true)
        spec.setDefault("priority", Self.priorities[spec.text("priorityClassName")] ?? 0)
        spec.setDefault("preemptionPolicy", "PreemptLowerPriority")
        for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
            tolerate(key, in: &spec)
        }
        object["spec"] = spec
        object["status"] = ["phase": "Pending", "qosClass": .string(QualityOfService.of(spec))]
    }

    /// Lets a pod stay on a node in trouble for a while, unless it has its own word on that.
    private func tolerate(_ key: String, in spec: inout JSONValue) {
        let tolerations = spec.list("tolerations")
        let isTolerated = tolerations.contains {
            ($0.text("key") == key || ($0.text("key").isEmpty && $0.text("operator") == "Exists"))
                && ["", "NoExecute"].contains($0.text("effect"))
        }
        guard !isTolerated else { return }
        let toleration: JSONValue = [
            "key": .string(key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": Self.evictionDelay,
        ]
        spec["tolerations"] = .array(tolerations + [toleration])
    }

    package func setDefaults(_ object: inout JSONValue) {
        object.update("spec", PodDefaults.apply(to:))
        object.update("status") { status in
            FamilyPair.align(&status, "podIP", "podIPs", wrap: { ["ip": $0] }, unwrap: { $0["ip"] })
        }
    }

    package func keep(_ object: inout JSONValue, of old: JSONValue, _ subresource: String?) {
        if subresource == EphemeralContainers.subresource {
            let added = object.at("spec", "ephemeralContainers")
            object["spec"] = old["spec"]
            object.set(added, at: "spec", "ephemeralContainers")
        }
        if subresource == PodResize.subresource {
            object["spec"] = PodResize.merged(object["spec"] ?? [:], into: old["spec"] ?? [:])
        }
        if object.at("status", "qosClass") == nil {
            object.set(old.at("status", "qosClass"), at: "status", "qosClass")
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let spec = object["spec"] ?? [:]
        guard let old else {
            return PodRules.validate(spec, at: "spec")
                + EphemeralContainers.refuseCreation(spec.list("ephemeralContainers"))
        }
        if subresource == "binding" { return [] }
        if subresource == EphemeralContainers.subresource {
            return EphemeralContainers.validate(spec, replacing: old["spec"] ?? [:])
        }
        if subresource == PodResize.subresource { return PodResize.validate(object, replacing: old) }
        return PodRules.validateChange(of: spec, from: old["spec"] ?? [:])
    }

    package func validateStatus(_ object: JSONValue, replacing old: JSONValue?) -> [FieldError] {
        guard let old, let status = object["status"] else { return [] }
        let before = old["status"] ?? [:]
        var errors = PodRules.validateAddresses(
            status.list("podIPs"), at: "status.podIPs", tolerating: before.list("podIPs"))
        let hosts = status.list("hostIPs")
        if let first = hosts.first, first["ip"] != status["hostIP"] {
            errors.append(
                .invalid("status.hostIPs[0].ip", first["ip"], "must be equal to `hostIP`"))
        }
        errors += PodRules.validateAddresses(
            hosts, at: "status.hostIPs", tolerating: before.list("hostIPs"))
        return errors
    }
}
