import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI
import Synchronization

/// The descriptions of the API that clients validate with and explain from, built when they are first asked for.
final class OpenAPIDocuments: Sendable {
    /// Clients also ask with `@` before the version, which is no valid media type to answer with.
    private static func protobufType(_ version: String) -> String {
        "application/com.github.proto-openapi.spec.\(version).v1.0+protobuf"
    }

    private let definitions: [ResourceDefinition]
    private let built = Mutex<[String: TaggedDocument]>([:])

    init(_ definitions: [ResourceDefinition]) {
        self.definitions = definitions
    }

    /// Answers GET of `/openapi/…`.
    func answer(_ segments: [String], _ request: Request) throws(StatusError) -> Response {
        switch segments.dropFirst().first {
        case "v2" where segments.count == 2:
            return (Self.wantsProtobuf(request, "v2") ? protobuf() : swagger()).answer(request)
        case "v3" where segments.count == 2: return index().answer(request)
        case "v3":
            let path = segments.dropFirst(2).joined(separator: "/")
            guard definitions.contains(where: { $0.resource.groupPath == "/" + path }) else { throw .unknownPath() }
            return answer(path, request)
        default: throw .unknownPath()
        }
    }

    /// A document of version 3: for ever with its hash, for now without, elsewhere with an old one.
    private func answer(_ path: String, _ request: Request) -> Response {
        // Both forms are of one address, so the hash of one stands for both.
        let text = groupVersion(path)
        let document = Self.wantsProtobuf(request, "v3") ? groupVersionProtobuf(path) : text
        guard let hash = Query(request.uri.query)["hash"], !hash.isEmpty else {
            return document.answer(request, caching: "no-cache, private")
        }
        guard hash == text.hash else {
            return Response(status: .movedPermanently, headers: [.location: Self.location(path, text)])
        }
        return document.answer(request, caching: "public, immutable, max-age=31536000")
    }

    private static func wantsProtobuf(_ request: Request, _ version: String) -> Bool {
        request.headers[values: .accept].contains { $0.contains("proto-openapi.spec.\(version)") }
    }

    private static func location(_ path: String, _ document: TaggedDocument) -> String {
        "/openapi/v3/\(path)?hash=\(document.hash)"
    }

    private func document(_ name: String, type: String, _ build: () -> [UInt8]) -> TaggedDocument {
        if let document = built.withLock({ $0[name] }) { return document }
        let document = TaggedDocument(build(), type: type)
        built.withLock { $0[name] = document }
        return document
    }

    private func swagger() -> TaggedDocument {
        document("v2", type: "application/json") { swaggerValue().serialized() }
    }

    private func protobuf() -> TaggedDocument {
        document("v2 protobuf", type: Self.protobufType("v2")) { OpenAPIProtobuf.encode(swaggerValue()) }
    }

    private func swaggerValue() -> JSONValue {
        [
            "swagger": "2.0", "info": Self.info, "paths": paths(definitions, .v2),
            "definitions": SchemaComponents.schemas(of: definitions.map(\.resource), .v2),
        ]
    }

    private func groupVersion(_ path: String) -> TaggedDocument {
        document(path, type: "application/json") { groupVersionValue(path).serialized() }
    }

    private func groupVersionProtobuf(_ path: String) -> TaggedDocument {
        document("\(path) protobuf", type: Self.protobufType("v3")) {
            OpenAPIProtobuf.encodeVersion3(groupVersionValue(path))
        }
    }

    private func groupVersionValue(_ path: String) -> JSONValue {
        let members = definitions.filter { $0.resource.groupPath == "/" + path }
        return [
            "openapi": "3.0.0", "info": Self.info, "paths": paths(members, .v3),
            "components": ["schemas": SchemaComponents.schemas(of: members.map(\.resource), .v3)],
        ]
    }

    private func index() -> TaggedDocument {
        document("v3", type: "application/json") { indexValue().serialized() }
    }

    private func indexValue() -> JSONValue {
        var paths = JSONObject()
        for definition in definitions {
            let path = String(definition.resource.groupPath.dropFirst())
            guard paths[path] == nil else { continue }
            paths[path] = ["serverRelativeURL": .string(Self.location(path, groupVersion(path)))]
        }
        return ["paths": .object(paths)]
    }

    private static let info: JSONValue = ["title": "Kubernetes", "version": ServerVersion.document["gitVersion"] ?? ""]

    private func paths(_ definitions: [ResourceDefinition], _ version: SchemaComponents.Version) -> JSONValue {
        var paths = JSONObject()
        for definition in definitions {
            let resource = definition.resource
            paths[resource.path(namespace: "{namespace}", name: "{name}")] = .object(
                JSONObject(
                    Self.operations.filter { definition.verbs.contains($0.verb) }.map {
                        ($0.method, Self.operation($0.method, $0.options, resource, version))
                    }))
        }
        return .object(paths)
    }

    private static let operations: [(verb: ResourceDefinition.Verb, method: String, options: [String])] = [
        (.get, "get", []), (.update, "put", ["dryRun", "fieldManager", "fieldValidation"]),
        (.patch, "patch", ["dryRun", "fieldManager", "fieldValidation", "force"]), (.delete, "delete", ["dryRun"]),
    ]

    /// An operation as far as clients look: they ask whether PATCH takes `dryRun` and `fieldValidation`.
    private static func operation(
        _ method: String, _ options: [String], _ resource: Resource, _ version: SchemaComponents.Version
    ) -> JSONValue {
        let parameters = options.map { name -> JSONValue in
            let type: JSONValue = name == "force" ? "boolean" : "string"
            var parameter: JSONValue = ["name": .string(name), "in": "query"]
            switch version {
            case .v2: parameter["type"] = type
            case .v3: parameter["schema"] = ["type": type]
            }
            return parameter
        }
        let name = resource.apiVersion.split(separator: "/").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        return [
            "operationId": .string("\(method)\(name)\(resource.kind)"), "parameters": .array(parameters),
            "responses": ["200": ["description": "OK"]], "x-kubernetes-action": .string(method),
            "x-kubernetes-group-version-kind": resource.groupVersionKind,
        ]
    }
}

extension JSONObject {
    /// An object from its members.
    fileprivate init(_ members: [(String, JSONValue)]) {
        self.init()
        for (key, value) in members {
            self[key] = value
        }
    }
}
