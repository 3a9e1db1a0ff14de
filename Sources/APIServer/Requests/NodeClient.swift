import Addresses
import AsyncHTTPClient
import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI
import NIOCore
import NIOHTTP1
import NIOSSL
import Streaming

/// Passes requests on: to the agents of nodes as the server and over TLS, to pods and Services as nobody.
final class NodeClient: Sendable {
    private static let defaultPort = 10250
    /// Headers that belong to one connection and are not passed on (RFC 9110 §7.6.1).
    static let connectionHeaders: Set<String> = [
        "connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "authorization",
        "proxy-authorization", "content-length",
    ]

    let client: HTTPClient
    /// For what answers with certificates that nobody knows, and must see none.
    let stranger: HTTPClient
    /// How nodes are authenticated, and the server to them.
    let tls: NIOSSLContext
    /// The same for upgrades.
    let strangerTLS: NIOSSLContext
    /// The slices of Services.
    let serviceSlices: StoreIndex<ServiceSlices>

    /// A client that trusts the cluster's authority and shows nodes the given certificate.
    init(authority: String, credentials: KeyPair, _ store: Store) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.utf8)))
        tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(credentials.certificate.utf8))
            .map { .certificate($0) }
        tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(credentials.privateKey.utf8), format: .pem))
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls, timeout: .init(connect: .seconds(10)))
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        self.tls = try NIOSSLContext(configuration: tls)
        var open = TLSConfiguration.makeClientConfiguration()
        open.certificateVerification = .none
        configuration.tlsConfiguration = open
        stranger = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        strangerTLS = try NIOSSLContext(configuration: open)
        serviceSlices = StoreIndex(store, [.endpointSlices], empty: ServiceSlices()) { index, _, key, slice in
            index.set(key, service: slice?.labels[WellKnownLabel.serviceName])
        }
    }

    /// Ends open connections.
    func shutdown() async throws {
        try await client.shutdown()
        try await stranger.shutdown()
    }

    /// Answers `pods/<name>/log`.
    func log(of call: APIHandler.Call, _ store: Store) async throws -> Response {
        let pod = try pod(call, store)
        let container = try PodContainers(pod).chosen(call.query["container"])
        let node = try node(of: pod, call)
        let parameters = [
            "follow", "previous", "timestamps", "tailLines", "sinceSeconds", "sinceTime", "limitBytes",
        ].compactMap { name in call.query[name].map { (name, $0) } }
        let path = "/containerLogs/\(call.key.namespace)/\(call.key.name)/\(container)"
        let answer = try await send(call, to: try address(of: node, store), path + Query.text(parameters))
        guard answer.status == .ok, let socket = WebSocketHandshake(call.request) else { return Self.response(answer) }
        return try await messages(answer.body, socket, call)
    }

    /// The pod that a request names.
    func pod(_ call: APIHandler.Call, _ store: Store) throws(StatusError) -> JSONValue {
        guard let pod = store.object(call.index, call.key)?.value else {
            throw .notFound(call.resource, call.key.name)
        }
        return pod
    }

    /// The name of a pod's node.
    func node(of pod: JSONValue, _ call: APIHandler.Call) throws(StatusError) -> String {
        guard let node = pod.at("spec", "nodeName")?.string, !node.isEmpty else {
            throw .badRequest("pod \(call.key.name) does not have a host assigned")
        }
        return node
    }

    /// Where the agent of a node is reached: at its first internal address.
    func address(of node: String, _ store: Store) throws(StatusError) -> ProxyBackend {
        guard let index = store.index(of: .nodes),
            let object = store.object(index, ObjectKey(name: node))?.value
        else { throw .notFound(.nodes, node) }
        let addresses = object.at("status", "addresses")?.array ?? []
        let internalAddress = addresses.first { $0["type"]?.string == "InternalIP" } ?? addresses.first
        guard let host = internalAddress?["address"]?.string else {
            throw .serviceUnavailable("no preferred addresses found; known addresses: []")
        }
        let port = object.at("status", "daemonEndpoints", "kubeletEndpoint", "Port")?.int ?? Self.defaultPort
        return ProxyBackend(host: host, port: port, isSecure: true, isAgent: true)
    }

    /// Sends a client's request to a node.
    private func send(
        _ call: APIHandler.Call, to node: ProxyBackend, _ target: String
    ) async throws -> HTTPClientResponse {
        let host = node.uriHost
        var request = HTTPClientRequest(url: "https://\(host):\(node.port)\(target)")
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
            return try await client.execute(request, deadline: .distantFuture)
        } catch {
            throw Self.unreachable("dial tcp \(host):\(node.port): \(error)")
        }
    }

    /// What a node or backend answered, with links of a page changed by `links`.
    static func response(_ answer: HTTPClientResponse, _ links: LinkRewriter? = nil) -> Response {
        var response = Response(status: .init(code: Int(answer.status.code)))
        for (name, value) in answer.headers where !connectionHeaders.contains(name.lowercased()) {
            if let name = HTTPField.Name(name) {
                response.headers.append(HTTPField(name: name, value: value))
            }
        }
        guard let links else {
            response.body = ResponseBody { writer in
                for try await chunk in answer.body {
                    try await writer.write(chunk)
                }
                try await writer.finish(nil)
            }
            return response
        }
        // Places in the page are others than in the backend's.
        response.headers[.acceptRanges] = nil
        response.body = ResponseBody { writer in
            var links = links
            for try await chunk in answer.body {
                try await writer.write(ByteBuffer(bytes: links.rewrite(chunk.readableBytesView)))
            }
            try await writer.write(ByteBuffer(bytes: links.finish()))
            try await writer.finish(nil)
        }
        return response
    }
}
