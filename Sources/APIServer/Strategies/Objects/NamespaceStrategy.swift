package import JSON
package import KubernetesAPI

/// Namespaces: they carry their name as a label, and finalizers of their own.
package struct NamespaceStrategy: ObjectStrategy {
    private static let nameLabel = "kubernetes.io/metadata.name"

    package let resource = Resource.namespaces
    package let hasStatus = true

    package init() {}

    package func problems(withName name: String) -> [String] { NameRules.dnsLabel(name) }

    package func begin(_ object: inout JSONValue) {
        object["status"] = ["phase": "Active"]
        if object.at("spec", "finalizers")?.array?.contains("kubernetes") != true {
            let others = object.at("spec", "finalizers")?.array ?? []
            object.set(.array(others + ["kubernetes"]), at: "spec", "finalizers")
        }
    }

    package func setDefaults(_ object: inout JSONValue) {
        object.set(object.at("metadata", "name"), at: "metadata", "labels", Self.nameLabel)
        if object.at("status", "phase") == nil {
            object.set("Active", at: "status", "phase")
        }
    }

    package func keep(_ object: inout JSONValue, of old: JSONValue, _ subresource: String?) {
        if subresource != "finalize" {
            object["spec"] = old["spec"]
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let path: FieldPath = "spec.finalizers"
        return (object.at("spec", "finalizers")?.array ?? []).enumerated().flatMap { index, finalizer in
            NameRules.qualifiedName(finalizer.string ?? "").map { .invalid(path[index], finalizer, $0) }
        }
    }

    package func validateStatus(_ object: JSONValue, replacing old: JSONValue?) -> [FieldError] {
        let isTerminating = object.at("metadata", "deletionTimestamp") != nil
        let phase = object.at("status", "phase") ?? ""
        if (phase == "Terminating") == isTerminating { return [] }
        return [
            .invalid(
                "status.Phase", phase,
                isTerminating
                    ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
                    : "may only be 'Active' if `deletionTimestamp` is empty")
        ]
    }
}
