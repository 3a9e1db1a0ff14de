import Addresses
import AsyncHTTPClient
import Foundation
import HTTPTypes
import Hummingbird
import JSON
import KubernetesAPI
import NIOCore
import NIOHTTP1
import NIOSSL

/// Passes requests on to the agents of nodes, as the server and over TLS.
final class NodeClient: Sendable {
    private static let defaultPort = 10250
    /// Headers that belong to one connection and are not passed on (RFC 9110 §7.6.1).
    private static let connectionHeaders: Set<String> = [
        "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "authorization",
        "proxy-authorization", "content-length",
    ]

    private let client: HTTPClient

    /// A client that trusts the cluster's authority and shows the given certificate.
    init(authority: String, credentials: KeyPair) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
        tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(credentials.certificate.utf8))
            .map { .certificate($0) }
        tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(credentials.privateKey.utf8), format: .pem))
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, timeout: .init(connect: .seconds(10)))
        configuration.httpVersion = .http1Only
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Ends open connections.
    func shutdown() async throws {
        try await client.shutdown()
    }

    /// Answers `pods/<name>/log`.
    func log(of call: APIHandler.Call, _ store: Store) async throws -> Response {
        guard let pod = store.object(call.index, call.key)?.value else {
            throw StatusError.notFound(call.resource, call.key.name)
        }
        let container = try container(of: pod, call)
        guard let node = pod.at("spec", "nodeName")?.string, !node.isEmpty else {
            throw StatusError.badRequest("pod \(call.key.name) does not have a host assigned")
        }
        let parameters = [
            "follow", "previous", "timestamps", "tailLines", "sinceSeconds", "sinceTime", "limitBytes",
        ].compactMap { name in call.query[name].map { "\(name)=\(Self.escape($0))" } }
        let path = "/containerLogs/\(call.key.namespace)/\(call.key.name)/\(container)"
        let suffix = parameters.isEmpty ? "" : "?" + parameters.joined(separator: "&")
        return try await forward(call, to: node, path + suffix, store)
    }

    /// Answers `nodes/<name>/proxy/…`.
    func proxy(_ call: APIHandler.Call, _ store: Store) async throws -> Response {
        let path = "/" + call.path.rest.map(Self.escape).joined(separator: "/")
        let query = call.request.uri.query.map { "?" + $0 } ?? ""
        return try await forward(call, to: call.key.name, path + query, store)
    }

    /// The container whose log is meant: the one asked for, or the only one.
    private func container(of pod: JSONValue, _ call: APIHandler.Call) throws(StatusError) -> String {
        let lists = ["containers", "initContainers", "ephemeralContainers"]
        let names = lists.map { pod.at("spec", $0)?.array?.compactMap { $0["name"]?.string } ?? [] }
        guard let wanted = call.query["container"], !wanted.isEmpty else {
            if names[0].count == 1, names[1].isEmpty { return names[0][0] }
            let choices = names[0].joined(separator: " ")
            throw .badRequest(
                "a container name must be specified for pod \(call.key.name), choose one of: [\(choices)]"
                    + (names[1].isEmpty ? "" : " or one of the init containers: [\(names[1].joined(separator: " "))]"))
        }
        guard names.joined().contains(wanted) else {
            throw .badRequest("container \(wanted) is not valid for pod \(call.key.name)")
        }
        return wanted
    }

    private func forward(
        _ call: APIHandler.Call, to node: String, _ target: String, _ store: Store
    ) async throws -> Response {
        guard let index = store.index(of: .nodes),
            let object = store.object(index, ObjectKey(name: node))?.value
        else { throw StatusError.notFound(.nodes, node) }
        let addresses = object.at("status", "addresses")?.array ?? []
        let internalAddress = addresses.first { $0["type"]?.string == "InternalIP" } ?? addresses.first
        guard let text = internalAddress?["address"]?.string else {
            throw StatusError.serviceUnavailable("no preferred addresses found; known addresses: []")
        }
        let host = IPAddress(text)?.uriHost ?? text
        let port = object.at("status", "daemonEndpoints", "kubeletEndpoint", "Port")?.int ?? Self.defaultPort
        var request = HTTPClientRequest(url: "https://\(host):\(port)\(target)")
        request.method = NIOHTTP1.HTTPMethod(rawValue: call.request.method.rawValue)
        for field in call.request.headers where !Self.connectionHeaders.contains(field.name.canonicalName) {
            request.headers.add(name: field.name.rawName, value: field.value)
        }
        let body = try await call.request.body.collect(upTo: RequestBodyText.limit)
        if body.readableBytes > 0 {
            request.body = .bytes(body)
        }
        do {
            // A followed log may be silent for long, so only the client's going ends it.
            return Self.answer(try await client.execute(request, deadline: .distantFuture))
        } catch {
            throw StatusError.internalError("error dialing backend of node \(node) (\(host):\(port)): \(error)")
        }
    }

    private static func answer(_ answer: HTTPClientResponse) -> Response {
        var response = Response(status: .init(code: Int(answer.status.code)))
        for (name, value) in answer.headers where !connectionHeaders.contains(name.lowercased()) {
            if let name = HTTPField.Name(name) {
                response.headers.append(HTTPField(name: name, value: value))
            }
        }
        response.body = ResponseBody { writer in
            for try await chunk in answer.body {
                try await writer.write(chunk)
            }
            try await writer.finish(nil)
        }
        return response
    }

    private static func escape(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed.subtracting(.init(charactersIn: "/;&=+?")))
            ?? text
    }
}
