import JSON
import KubernetesAPI

/// Discovery in two documents instead of one for each group and version (KEP-3352).
enum AggregatedDiscovery {
    /// The versions of `apidiscovery.k8s.io` that are spoken.
    static let versions = ["v2", "v2beta1"]

    /// The media type of a document of that version; clients compare its parameters.
    static func mediaType(_ version: String) -> String {
        "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
    }

    /// The version that an entry of an `Accept` header asks for; nil when it asks for something else.
    static func version(_ range: MediaRange) -> String? {
        guard range.type == "application/json", range.parameters["as"] == "APIGroupDiscoveryList",
            range.parameters["g"] == "apidiscovery.k8s.io", let version = range.parameters["v"]
        else { return nil }
        return versions.contains(version) ? version : nil
    }

    /// The list of groups; definitions of one group stand together.
    static func document(_ definitions: [ResourceDefinition], version: String) -> JSONValue {
        var groups: [String] = []
        for definition in definitions where !groups.contains(definition.resource.group) {
            groups.append(definition.resource.group)
        }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
            "items": .array(
                groups.map { group in
                    item(group, definitions.filter { $0.resource.group == group })
                }),
        ]
    }

    private static func item(_ group: String, _ definitions: [ResourceDefinition]) -> JSONValue {
        var versions: [String] = []
        for definition in definitions where !versions.contains(definition.resource.version) {
            versions.append(definition.resource.version)
        }
        var metadata: JSONValue = ["creationTimestamp": .null]
        if !group.isEmpty {
            metadata["name"] = .string(group)
        }
        return [
            "metadata": metadata,
            "versions": .array(
                versions.map { version in
                    [
                        "version": .string(version), "freshness": "Current",
                        "resources": .array(
                            definitions.filter { $0.resource.version == version }.map(resource)),
                    ]
                }),
        ]
    }

    private static func resource(_ definition: ResourceDefinition) -> JSONValue {
        let resource = definition.resource
        var entry: JSONValue = [
            "resource": .string(resource.plural),
            "responseKind": responseKind(resource.group, resource.version, resource.kind),
            "scope": resource.isNamespaced ? "Namespaced" : "Cluster",
            "singularResource": .string(definition.singular), "verbs": verbs(definition.verbs),
        ]
        if !definition.shortNames.isEmpty {
            entry["shortNames"] = .array(definition.shortNames.map { .string($0) })
        }
        if !definition.categories.isEmpty {
            entry["categories"] = .array(definition.categories.map { .string($0) })
        }
        if !definition.subresources.isEmpty {
            entry["subresources"] = .array(
                definition.subresources.map { subresource in
                    let (group, version) = subresource.groupVersion ?? (resource.group, resource.version)
                    return [
                        "subresource": .string(subresource.name),
                        "responseKind": responseKind(group, version, subresource.kind),
                        "verbs": verbs(subresource.verbs),
                    ]
                })
        }
        return entry
    }

    private static func responseKind(_ group: String, _ version: String, _ kind: String) -> JSONValue {
        ["group": .string(group), "version": .string(version), "kind": .string(kind)]
    }

    private static func verbs(_ verbs: [ResourceDefinition.Verb]) -> JSONValue {
        .array(verbs.map { .string($0.rawValue) })
    }
}
