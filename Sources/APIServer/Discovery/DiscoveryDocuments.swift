import HTTPTypes
import Hummingbird
import JSON
import KubernetesAPI

/// The documents from which clients learn what the server has.
struct DiscoveryDocuments: Sendable {
    private let documents: [String: JSONValue]

    /// Builds the documents.
    ///
    /// - Parameter serverAddress: Host and port under which the server is reached.
    init(_ definitions: [ResourceDefinition], serverAddress: String) {
        var documents: [String: JSONValue] = [:]
        documents["api"] = [
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": .array(
                ["0.0.0.0/0", "::/0"].map { ["clientCIDR": .string($0), "serverAddress": .string(serverAddress)] }),
        ]
        var groups: [JSONValue] = []
        var versions: [String] = []
        for definition in definitions where !versions.contains(definition.resource.apiVersion) {
            let resource = definition.resource
            versions.append(resource.apiVersion)
            let members = definitions.filter { $0.resource.apiVersion == resource.apiVersion }
            documents[String(resource.groupPath.dropFirst())] = [
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(resource.apiVersion),
                "resources": .array(members.flatMap(Self.entries)),
            ]
            guard !resource.group.isEmpty else { continue }
            let version: JSONValue = [
                "groupVersion": .string(resource.apiVersion), "version": .string(resource.version),
            ]
            var group: JSONValue = [
                "name": .string(resource.group), "versions": [version], "preferredVersion": version,
            ]
            groups.append(group)
            group["kind"] = "APIGroup"
            group["apiVersion"] = "v1"
            documents["apis/\(resource.group)"] = group
        }
        documents["apis"] = ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups)]
        let paths = documents.keys + ["healthz", "livez", "openapi/v2", "openapi/v3", "readyz", "version"]
        documents[""] = ["paths": .array(paths.sorted().map { .string("/\($0)") })]
        self.documents = documents
    }

    /// Answers GET of a document.
    func answer(_ segments: [String]) throws(StatusError) -> Response {
        guard let document = documents[segments.joined(separator: "/")] else { throw .unknownPath() }
        return .value(document)
    }

    /// The entries of a resource and its subresources in an `APIResourceList`.
    private static func entries(_ definition: ResourceDefinition) -> [JSONValue] {
        let resource = definition.resource
        var entry: JSONValue = [
            "name": .string(resource.plural), "singularName": .string(definition.singular),
            "namespaced": .bool(resource.isNamespaced), "kind": .string(resource.kind),
            "verbs": .array(definition.verbs.map { .string($0.rawValue) }),
        ]
        if !definition.shortNames.isEmpty {
            entry["shortNames"] = .array(definition.shortNames.map { .string($0) })
        }
        if !definition.categories.isEmpty {
            entry["categories"] = .array(definition.categories.map { .string($0) })
        }
        return [entry]
            + definition.subresources.map { subresource in
                var entry: JSONValue = [
                    "name": .string("\(resource.plural)/\(subresource.name)"), "singularName": "",
                    "namespaced": .bool(resource.isNamespaced), "kind": .string(subresource.kind),
                    "verbs": .array(subresource.verbs.map { .string($0.rawValue) }),
                ]
                if let (group, version) = subresource.groupVersion {
                    entry["group"] = .string(group)
                    entry["version"] = .string(version)
                }
                return entry
            }
    }
}
