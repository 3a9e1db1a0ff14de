import Crypto
import Foundation
import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI

/// The documents from which clients learn what the server has.
struct DiscoveryDocuments: Sendable {
    private let documents: [String: JSONValue]
    /// By path and version.
    private let aggregated: [String: TaggedDocument]

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
        for group in Self.distinct(definitions.map(\.resource.group)) {
            let members = definitions.filter { $0.resource.group == group }
            let versions = Self.distinct(members.map(\.resource.version))
            for version in versions {
                let served = members.filter { $0.resource.version == version }
                guard let resource = served.first?.resource else { continue }
                documents[String(resource.groupPath.dropFirst())] = [
                    "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(resource.apiVersion),
                    "resources": .array(served.flatMap(Self.entries)),
                ]
            }
            guard !group.isEmpty else { continue }
            let entries = versions.map { version -> JSONValue in
                ["groupVersion": .string("\(group)/\(version)"), "version": .string(version)]
            }
            var entry: JSONValue = ["name": .string(group), "versions": .array(entries)]
            entry["preferredVersion"] = entries.first
            groups.append(entry)
            entry["kind"] = "APIGroup"
            entry["apiVersion"] = "v1"
            documents["apis/\(group)"] = entry
        }
        documents["apis"] = ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups)]
        let paths =
            documents.keys + ["healthz", "livez", "metrics", "openapi/v2", "openapi/v3", "readyz", "version"]
        documents[""] = ["paths": .array(paths.sorted().map { .string("/\($0)") })]
        self.documents = documents

        var aggregated: [String: TaggedDocument] = [:]
        for version in AggregatedDiscovery.versions {
            for path in ["api", "apis"] {
                let members = definitions.filter { $0.resource.group.isEmpty == (path == "api") }
                aggregated["\(path) \(version)"] = TaggedDocument(
                    AggregatedDiscovery.document(members, version: version).serialized(),
                    type: AggregatedDiscovery.mediaType(version))
            }
        }
        self.aggregated = aggregated
    }

    /// Answers GET of a document.
    func answer(_ segments: [String], _ request: Request) throws(StatusError) -> Response {
        let path = segments.joined(separator: "/")
        guard let document = documents[path] else { throw .unknownPath() }
        let accept = request.headers[values: .accept].joined(separator: ",")
        for range in MediaRange.list(accept) {
            if let version = AggregatedDiscovery.version(range), let document = aggregated["\(path) \(version)"] {
                return document.answer(request)
            }
            if let format = OutputFormat.negotiate(accept: range, hasProtobuf: false), format.shape == .object {
                return .value(document, format)
            }
        }
        guard accept.isEmpty else { throw .notAcceptable(supported: OutputFormat.supported) }
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
        if definition.verbs.contains(.list) {
            entry["storageVersionHash"] = .string(storageVersionHash(resource))
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

    /// A hash of the form in which objects are stored, the same as Kubernetes' for the same version.
    private static func storageVersionHash(_ resource: Resource) -> String {
        let text = "\(resource.group)/\(resource.version)/\(resource.kind)"
        return Data(SHA256.hash(data: Data(text.utf8)).prefix(8)).base64EncodedString()
    }

    private static func distinct(_ texts: [String]) -> [String] {
        texts.reduce(into: []) { result, text in
            if !result.contains(text) {
                result.append(text)
            }
        }
    }
}
