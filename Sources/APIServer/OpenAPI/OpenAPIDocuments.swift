import Crypto
import HTTPTypes
import Hummingbird
import JSON
import KubernetesAPI
import NIOCore
import Synchronization

/// The descriptions of the API that clients validate with and explain from, built when they are first asked for.
final class OpenAPIDocuments: Sendable {
    /// Clients also ask with `@` before the version, which is no valid media type to answer with.
    private static let protobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    private let definitions: [ResourceDefinition]
    private let built = Mutex<[String: Document]>([:])

    private struct Document: Sendable {
        let bytes: [UInt8]
        let type: String
        let hash: String
    }

    init(_ definitions: [ResourceDefinition]) {
        self.definitions = definitions
    }

    /// Answers GET of `/openapi/…`.
    func answer(_ segments: [String], _ request: Request) throws(StatusError) -> Response {
        switch segments.dropFirst().first {
        case "v2" where segments.count == 2:
            let accept = request.headers[values: .accept].joined(separator: ",")
            return answer(accept.contains("proto-openapi.spec.v2") ? protobuf() : swagger(), request)
        case "v3" where segments.count == 2: return .value(index())
        case "v3":
            let path = segments.dropFirst(2).joined(separator: "/")
            guard definitions.contains(where: { $0.resource.groupPath == "/" + path }) else { throw .unknownPath() }
            return answer(groupVersion(path), request)
        default: throw .unknownPath()
        }
    }

    private func answer(_ document: Document, _ request: Request) -> Response {
        let tag = "\"\(document.hash)\""
        if request.headers[.ifNoneMatch] == tag { return Response(status: .notModified, headers: [.eTag: tag]) }
        return Response(
            status: .ok, headers: [.contentType: document.type, .eTag: tag],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: document.bytes)))
    }

    private func document(_ name: String, type: String, _ build: () -> [UInt8]) -> Document {
        built.withLock { documents in
            if let document = documents[name] { return document }
            let bytes = build()
            let hash = SHA256.hash(data: bytes).prefix(16).map {
                String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
            }
            let document = Document(bytes: bytes, type: type, hash: hash.joined().uppercased())
            documents[name] = document
            return document
        }
    }

    private func swagger() -> Document {
        document("v2", type: "application/json") { swaggerValue().serialized() }
    }

    private func protobuf() -> Document {
        document("v2 protobuf", type: Self.protobufType) { OpenAPIProtobuf.encode(swaggerValue()) }
    }

    private func swaggerValue() -> JSONValue {
        [
            "swagger": "2.0", "info": Self.info, "paths": paths(definitions, .v2),
            "definitions": SchemaComponents.schemas(of: definitions.map(\.resource), .v2),
        ]
    }

    private func groupVersion(_ path: String) -> Document {
        document(path, type: "application/json") {
            let members = definitions.filter { $0.resource.groupPath == "/" + path }
            let value: JSONValue = [
                "openapi": "3.0.0", "info": Self.info, "paths": paths(members, .v3),
                "components": ["schemas": SchemaComponents.schemas(of: members.map(\.resource), .v3)],
            ]
            return value.serialized()
        }
    }

    private func index() -> JSONValue {
        var paths = JSONObject()
        for definition in definitions {
            let path = String(definition.resource.groupPath.dropFirst())
            guard paths[path] == nil else { continue }
            paths[path] = ["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(groupVersion(path).hash)")]
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
