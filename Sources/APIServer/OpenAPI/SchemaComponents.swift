import JSON
import KubernetesAPI

/// Schemas of API types in the form of OpenAPI, which the versions 2 and 3 share but for references.
struct SchemaComponents {
    /// A version of OpenAPI.
    enum Version: Sendable {
        /// Swagger 2.0.
        case v2
        /// OpenAPI 3.0.
        case v3
    }

    private let version: Version
    private let kinds: [String: Resource]
    private var pending: [SchemaType] = []
    private var schemas: [String: JSONValue] = [:]

    /// The schemas of the objects of some resources, and of everything in them.
    static func schemas(of resources: [Resource], _ version: Version) -> JSONValue {
        var components = SchemaComponents(resources, version)
        for resource in resources {
            if let type = Schema.node(for: resource)?.type {
                _ = components.reference(type)
            }
        }
        while let type = components.pending.popLast() {
            components.schemas[type.openAPIName] = components.schema(type)
        }
        var result = JSONObject()
        for name in components.schemas.keys.sorted() {
            result[name] = components.schemas[name]
        }
        return .object(result)
    }

    private init(_ resources: [Resource], _ version: Version) {
        self.version = version
        kinds = Dictionary(
            resources.compactMap { resource in
                Schema.node(for: resource)?.type.map { ($0.openAPIName, resource) }
            },
            uniquingKeysWith: { first, _ in first })
    }

    /// A reference to a type, whose schema will be there in the end.
    private mutating func reference(_ type: SchemaType) -> JSONValue {
        if schemas[type.openAPIName] == nil {
            schemas[type.openAPIName] = .null
            pending.append(type)
        }
        switch version {
        case .v2: return ["$ref": .string("#/definitions/\(type.openAPIName)")]
        case .v3: return ["$ref": .string("#/components/schemas/\(type.openAPIName)")]
        }
    }

    private mutating func schema(_ type: SchemaType) -> JSONValue {
        var properties = JSONObject()
        var required: [JSONValue] = []
        for field in type.fields {
            properties[field.name] = schema(field, SchemaDescriptions.text(type, field))
            if field.isRequired {
                required.append(.string(field.name))
            }
        }
        var result: JSONValue = ["type": "object"]
        if let description = SchemaDescriptions.text(type) {
            result["description"] = .string(description)
        }
        if !required.isEmpty {
            result["required"] = .array(required)
        }
        if !properties.isEmpty {
            result["properties"] = .object(properties)
        }
        if let resource = kinds[type.openAPIName] {
            result["x-kubernetes-group-version-kind"] = [resource.groupVersionKind]
        }
        return result
    }

    private mutating func schema(_ field: SchemaField, _ description: String?) -> JSONValue {
        var result = schema(field.node)
        if let description {
            // In version 3 nothing may stand beside a reference.
            if version == .v3, field.node.type != nil {
                result = ["allOf": [result]]
            }
            result["description"] = .string(description)
        }
        let strategies = [field.isMerged ? "merge" : nil, field.retainsKeys ? "retainKeys" : nil].compactMap(\.self)
        if !strategies.isEmpty {
            result["x-kubernetes-patch-strategy"] = .string(strategies.joined(separator: ","))
        }
        if let key = field.mergeKey {
            result["x-kubernetes-patch-merge-key"] = .string(key)
        }
        if !field.listKeys.isEmpty {
            result["x-kubernetes-list-type"] = "map"
            result["x-kubernetes-list-map-keys"] = .array(field.listKeys.map { .string($0) })
        } else if field.isSet {
            result["x-kubernetes-list-type"] = "set"
        } else if case .list = field.node, !field.isMerged {
            result["x-kubernetes-list-type"] = "atomic"
        }
        return result
    }

    private mutating func schema(_ node: SchemaNode) -> JSONValue {
        switch node {
        case .string, .quantity: return ["type": "string"]
        case .boolean: return ["type": "boolean"]
        case .integer(let bits): return ["type": "integer", "format": .string("int\(bits)")]
        case .bytes: return ["type": "string", "format": "byte"]
        case .time, .microTime: return ["type": "string", "format": "date-time"]
        case .intOrString:
            guard version == .v3 else { return ["type": "string", "format": "int-or-string"] }
            return ["format": "int-or-string", "oneOf": [["type": "integer"], ["type": "string"]]]
        case .any: return ["type": "object"]
        case .list(let element): return ["type": "array", "items": schema(element)]
        case .map(let element): return ["type": "object", "additionalProperties": schema(element)]
        case .object(let type): return reference(type)
        }
    }
}

extension Resource {
    /// The value of `x-kubernetes-group-version-kind`.
    var groupVersionKind: JSONValue {
        ["group": .string(group), "kind": .string(kind), "version": .string(version)]
    }
}
