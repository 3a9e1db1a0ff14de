import JSON
import KubernetesAPI

/// Shows objects whole, as table rows or as metadata.
struct ObjectView: Sendable {
    private let definition: ResourceDefinition
    private let shape: OutputFormat.Shape
    /// How much of the object comes with each row of a table: `None`, `Metadata` or `Object`.
    private let included: String

    init(_ call: APIHandler.Call) {
        definition = call.definition
        shape = call.format.shape
        included = call.query["includeObject"] ?? "Metadata"
    }

    /// True when objects are shown as they are stored.
    var isPlain: Bool { shape == .object && definition.form == nil }

    /// One object.
    func item(_ object: StoredObject) -> JSONValue { item(object.value, isFirst: true) }

    /// One object; tables carry their columns only the first time.
    func item(_ value: JSONValue, isFirst: Bool) -> JSONValue {
        switch shape {
        case .object: return definition.served(value)
        case .metadata(let version): return metadata(value, version)
        case .table(let version):
            let revision = value.at("metadata", "resourceVersion") ?? ""
            return table([row(value, version, .now)], ["resourceVersion": revision], version, withColumns: isFirst)
        }
    }

    /// A bookmark, whose object has a resource version and nothing else.
    func bookmark(_ object: JSONValue) -> JSONValue {
        switch shape {
        case .object: object
        case .metadata(let version): metadata(object, version)
        case .table(let version): table([], object["metadata"] ?? [:], version, withColumns: false)
        }
    }

    /// A list of objects.
    func list(_ objects: [StoredObject], _ metadata: JSONValue) -> JSONValue {
        switch shape {
        case .object:
            let resource = definition.resource
            return [
                "kind": .string(resource.kind + "List"), "apiVersion": .string(resource.apiVersion),
                "metadata": metadata,
                "items": .array(
                    objects.map {
                        var value = definition.served($0.value)
                        value["kind"] = nil
                        value["apiVersion"] = nil
                        return value
                    }),
            ]
        case .metadata(let version):
            return [
                "kind": "PartialObjectMetadataList", "apiVersion": .string("meta.k8s.io/\(version)"),
                "metadata": metadata, "items": .array(objects.map { self.metadata($0.value, version) }),
            ]
        case .table(let version):
            let now = Timestamp.now
            return table(objects.map { row($0.value, version, now) }, metadata, version, withColumns: true)
        }
    }

    private func metadata(_ value: JSONValue, _ version: String) -> JSONValue {
        [
            "kind": "PartialObjectMetadata", "apiVersion": .string("meta.k8s.io/\(version)"),
            "metadata": value["metadata"] ?? [:],
        ]
    }

    private func row(_ value: JSONValue, _ version: String, _ now: Timestamp) -> JSONValue {
        var row: JSONValue = ["cells": .array(definition.columns.map { $0.cell(value, now) })]
        switch included {
        case "None": break
        case "Object": row["object"] = definition.served(value)
        default: row["object"] = metadata(value, version)
        }
        return row
    }

    private func table(
        _ rows: [JSONValue], _ metadata: JSONValue, _ version: String, withColumns: Bool
    ) -> JSONValue {
        [
            "kind": "Table", "apiVersion": .string("meta.k8s.io/\(version)"), "metadata": metadata,
            "columnDefinitions": withColumns ? .array(definition.columns.map(\.definition)) : .null,
            "rows": .array(rows),
        ]
    }
}
