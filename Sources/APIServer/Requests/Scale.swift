import JSON
import KubernetesAPI

/// The `autoscaling/v1` view of an object with replicas.
enum Scale {
    /// Patches of scales follow the type `Scale`.
    static let definition = ResourceDefinition(
        Resource(group: "autoscaling", version: "v1", plural: "scales", kind: "Scale", isNamespaced: true),
        columns: [], strategy: PlainStrategy())

    /// The scale of an object.
    static func value(of object: JSONValue) -> JSONValue {
        var metadata: JSONValue = [:]
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[field] = object.at("metadata", field)
        }
        var spec: JSONValue = [:]
        spec["replicas"] = object.at("spec", "replicas")
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec,
            "status": [
                "replicas": object.at("status", "replicas") ?? 0,
                "selector": .string(selectorText(object.at("spec", "selector") ?? [:])),
            ],
        ]
    }

    /// The object with the replicas of a scale.
    static func apply(_ scale: JSONValue, to object: JSONValue, _ resource: Resource) throws(StatusError) -> JSONValue {
        let replicas = scale.at("spec", "replicas")?.int ?? 0
        guard replicas >= 0 else {
            throw .invalid(
                kind: "Scale", group: "autoscaling", name: object.at("metadata", "name")?.string ?? "",
                causes: [
                    .invalid(
                        "spec.replicas", .integer(Int64(replicas)), "must be greater than or equal to 0")
                ])
        }
        var object = object
        object.set(.integer(Int64(replicas)), at: "spec", "replicas")
        if let version = scale.at("metadata", "resourceVersion"), version.string != "" {
            object.set(version, at: "metadata", "resourceVersion")
        }
        return object
    }

    /// A selector in the form of query strings.
    private static func selectorText(_ selector: JSONValue) -> String {
        var parts = (selector["matchLabels"]?.object.map(Array.init) ?? []).sorted { $0.key < $1.key }.map {
            "\($0.key)=\($0.value.string ?? "")"
        }
        for expression in selector["matchExpressions"]?.array ?? [] {
            let key = expression["key"]?.string ?? ""
            let values = (expression["values"]?.array ?? []).compactMap(\.string).sorted().joined(separator: ",")
            switch expression["operator"]?.string {
            case "In": parts.append("\(key) in (\(values))")
            case "NotIn": parts.append("\(key) notin (\(values))")
            case "Exists": parts.append(key)
            case "DoesNotExist": parts.append("!\(key)")
            default: break
            }
        }
        return parts.joined(separator: ",")
    }
}
