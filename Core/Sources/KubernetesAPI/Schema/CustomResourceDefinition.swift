public import JSON

/// The manifest by which another API server serves a kind of Duet's.
public enum CustomResourceDefinition {
    /// A column of what `kubectl get` shows.
    public struct Column: Sendable, Hashable {
        let name: String
        let type: String
        let path: String

        /// Describes a column.
        ///
        /// - Parameters:
        ///   - type: `string`, `integer` or `date`.
        ///   - path: JSONPath of the cell, beginning with a dot.
        public init(_ name: String, type: String = "string", path: String) {
            self.name = name
            self.type = type
            self.path = path
        }

        fileprivate var json: JSONValue {
            ["name": .string(name), "type": .string(type), "jsonPath": .string(path)]
        }
    }

    /// Texts that a field is limited to, by type and field.
    private static let choices: [String: [String]] = [
        "AddressPoolSpec.purpose": [AddressPoolSpec.pods, AddressPoolSpec.services, AddressPoolSpec.loadBalancers],
        "AddressPoolPrefix.state": [AddressPoolPrefix.active, AddressPoolPrefix.draining],
        "NodeBlock.state": [NodeBlock.active, NodeBlock.releasing],
    ]

    /// The manifest of a resource with a `status`; nil for one without a known type.
    public static func manifest(_ resource: Resource, shortNames: [String], columns: [Column]) -> JSONValue? {
        guard let type = Schema.node(for: resource)?.type else { return nil }
        var schema = schema(type)
        // What every object has is the server's own.
        schema.set(["type": "object"], at: "properties", "metadata")
        let age = Column("Age", type: "date", path: ".metadata.creationTimestamp")
        return [
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": ["name": .string("\(resource.plural).\(resource.group)")],
            "spec": [
                "group": .string(resource.group),
                "names": [
                    "kind": .string(resource.kind), "listKind": .string("\(resource.kind)List"),
                    "plural": .string(resource.plural), "singular": .string(resource.kind.lowercased()),
                    "shortNames": .array(shortNames.map { .string($0) }),
                ],
                "scope": resource.isNamespaced ? "Namespaced" : "Cluster",
                "versions": [
                    [
                        "name": .string(resource.version), "served": true, "storage": true,
                        "subresources": ["status": [:]],
                        "additionalPrinterColumns": .array((columns + [age]).map(\.json)),
                        "schema": ["openAPIV3Schema": schema],
                    ]
                ],
            ],
        ]
    }

    private static func schema(_ type: SchemaType) -> JSONValue {
        var properties = JSONObject()
        for field in type.fields {
            var schema = schema(field.node)
            if let choices = choices["\(type.name).\(field.name)"] {
                schema["enum"] = .array(choices.map { .string($0) })
            }
            if !field.listKeys.isEmpty {
                schema["x-kubernetes-list-type"] = "map"
                schema["x-kubernetes-list-map-keys"] = .array(field.listKeys.map { .string($0) })
            }
            if let text = SchemaDescriptions.text(type, field) { schema["description"] = .string(text) }
            properties[field.name] = schema
        }
        var result: JSONValue = ["type": "object", "properties": .object(properties)]
        let required = type.fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { result["required"] = .array(required) }
        if let text = SchemaDescriptions.text(type) { result["description"] = .string(text) }
        return result
    }

    private static func schema(_ node: SchemaNode) -> JSONValue {
        switch node {
        case .string, .quantity: ["type": "string"]
        case .boolean: ["type": "boolean"]
        case .integer(let bits): ["type": "integer", "format": .string("int\(bits)")]
        case .bytes: ["type": "string", "format": "byte"]
        case .time, .microTime: ["type": "string", "format": "date-time"]
        case .intOrString: ["x-kubernetes-int-or-string": true]
        case .any: ["type": "object", "x-kubernetes-preserve-unknown-fields": true]
        case .list(let element): ["type": "array", "items": schema(element)]
        case .map(let element): ["type": "object", "additionalProperties": schema(element)]
        case .object(let type): schema(type)
        }
    }
}
