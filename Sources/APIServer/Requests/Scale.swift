import JSON
import KubernetesAPI

/// The `autoscaling/v1` view of an object with replicas.
enum Scale {
    /// The subresource's name.
    static let subresource = "scale"

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
    static func apply(_ scale: JSONValue, to object: JSONValue) throws(StatusError) -> JSONValue {
        var object = object
        object.set(.integer(Int64(try replicas(of: scale))), at: "spec", "replicas")
        for field in ["uid", "resourceVersion"] {
            if let value = scale.at("metadata", field), value.string != "" { object.set(value, at: "metadata", field) }
        }
        return object
    }

    /// The part of an object that a scale speaks of, for it to be applied.
    static func configuration(_ scale: JSONValue, of resource: Resource) throws(StatusError) -> JSONValue {
        var object: JSONValue = [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind),
            "metadata": scale["metadata"] ?? [:],
        ]
        if scale.at("spec", "replicas") != nil {
            object.set(.integer(Int64(try replicas(of: scale))), at: "spec", "replicas")
        }
        return object
    }

    private static func replicas(of scale: JSONValue) throws(StatusError) -> Int {
        let replicas = scale.at("spec", "replicas")?.int ?? 0
        guard replicas >= 0 else {
            throw .invalid(
                kind: "Scale", group: "autoscaling", name: scale.at("metadata", "name")?.string ?? "",
                causes: [
                    .invalid("spec.replicas", .integer(Int64(replicas)), "must be greater than or equal to 0")
                ])
        }
        return replicas
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
