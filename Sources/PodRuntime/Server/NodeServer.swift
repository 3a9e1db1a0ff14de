import CRI
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import JSON
import KubernetesAPI
import KubernetesClient
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Streaming

/// The node's HTTPS API: logs, commands and pods, for the API server.
struct NodeServer: Sendable {
    private let port: Int
    private let tls: TLSConfiguration
    private let authority: NodeServerAuthority
    let manager: PodManager
    let context: PodContext

    /// Prepares the server with the node's own certificate, which must be good for both directions.
    init(port: Int, credentials: ClientConfiguration, manager: PodManager, context: PodContext) throws {
        guard let certificate = credentials.clientCertificate, let key = credentials.clientKey,
            let authority = credentials.certificateAuthority
        else {
            throw NodeConfigurationError(
                description: "\(context.configuration.kubeconfigPath): a node needs client-certificate-data, "
                    + "client-key-data and certificate-authority-data")
        }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMBytes(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem)))
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority))
        // `/healthz` answers anyone; the other paths ask for a certificate themselves.
        tls.certificateVerification = .optionalVerification
        tls.minimumTLSVersion = .tlsv12
        tls.applicationProtocols = ["http/1.1"]
        self.port = port
        self.tls = tls
        self.authority = NodeServerAuthority()
        self.manager = manager
        self.context = context
    }

    /// Serves until the task is cancelled.
    func run() async throws {
        // Being cancelled is how this server ends, not an error; what keeps it from listening is thrown.
        var logger = context.logger
        logger.logLevel = .critical
        let application = Application(
            responder: CallbackResponder { request, context in try await answer(request, context) },
            server: try .tls(
                HTTPServerBuilder { KeptChannel(HTTP1Channel(responder: $0)) }, tlsConfiguration: tls),
            configuration: ApplicationConfiguration(
                address: .hostname(Self.wildcard, port: port), serverName: nil, reuseAddress: true),
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton),
            logger: logger)
        try await application.run()
    }

    /// The address that takes connections of every family that the machine has.
    private static var wildcard: String {
        FileManager.default.fileExists(atPath: "/proc/net/if_inet6") ? "::" : "0.0.0.0"
    }

    private func answer(_ request: Request, _ connection: NodeRequestContext) async throws -> Response {
        let parts = request.uri.path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
        if parts == ["healthz"] { return .text(.ok, "ok") }
        switch await authority.decision(for: connection.channel) {
        case .allowed: break
        case .anonymous: return .text(.unauthorized, "Unauthorized\n")
        case .forbidden(let user): return .text(.forbidden, "Forbidden (user=\(user))\n")
        }
        switch (parts.first, parts.count) {
        case ("pods", 1):
            return try await pods()
        case ("containerLogs", 4):
            return try await logs(parts[1], parts[2], parts[3], request)
        case ("exec", 4):
            return try await exec(parts[1], parts[2], parts[3], request, connection)
        case ("attach", 4):
            return try await attach(parts[1], parts[2], parts[3], request, connection)
        case ("portForward", 3):
            return try await portForward(parts[1], parts[2], request, connection)
        case ("run", 4):
            return try await run(parts[1], parts[2], parts[3], request)
        default:
            return .text(.notFound, "404 page not found\n")
        }
    }

    private func pods() async throws -> Response {
        let items = try await manager.pods().map { try $0.json() }
        let list: JSONValue = ["kind": "PodList", "apiVersion": "v1", "metadata": [:], "items": .array(items)]
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: list.serialized())))
    }

    /// `/run/{namespace}/{pod}/{container}?cmd=…`: runs a command and answers with its output.
    private func run(
        _ namespace: String, _ name: String, _ container: String, _ request: Request
    ) async throws -> Response {
        guard request.method == .post || request.method == .get else {
            return .text(.methodNotAllowed, "use POST\n")
        }
        guard
            let instance = await manager.worker(namespace: namespace, name: name)?
                .instance(of: container, previous: false), instance.state == .running
        else { return .text(.notFound, "container \(container) of pod \(namespace)/\(name) does not run\n") }
        let words = request.uri.queryParameters.filter { $0.key == "cmd" }.map { String($0.value) }
        // One parameter is a line of words, several are the words themselves.
        let command = words.count == 1 ? words[0].split(separator: " ").map(String.init) : words
        guard !command.isEmpty else { return .text(.badRequest, "the parameter cmd is missing\n") }
        do throws(RuntimeError) {
            let answer = try await context.runtime.exec(instance.id, command, timeout: 0)
            let output = ByteBuffer(bytes: answer.stdout + answer.stderr)
            return Response(
                status: answer.exitCode == 0 ? .ok : .internalServerError,
                headers: [.contentType: "text/plain"], body: ResponseBody(byteBuffer: output))
        } catch {
            return .text(.internalServerError, "\(error)\n")
        }
    }

    private func logs(
        _ namespace: String, _ name: String, _ container: String, _ request: Request
    ) async throws -> Response {
        let query = request.uri.queryParameters
        guard let options = LogOptions(query: { query[Substring($0)].map { String($0) } }, now: .now) else {
            return .failure(.badRequest("bad log options: \(request.uri.query ?? "")"))
        }
        guard let worker = await manager.worker(namespace: namespace, name: name) else {
            return .failure(.notFound(.pods, name))
        }
        guard let instance = await worker.instance(of: container, previous: options.isPrevious) else {
            let reason = await worker.waitingReason(of: container) ?? "not found"
            return .failure(
                .badRequest(
                    options.isPrevious
                        ? "previous terminated container \"\(container)\" in pod \"\(name)\" not found"
                        : "container \"\(container)\" in pod \"\(name)\" is waiting to start: \(reason)"))
        }
        let path = context.directories(of: await worker.pod).log(container: container, attempt: instance.attempt)
        let stream = LogStream(path: path, options: options, containerID: instance.id, runtime: context.runtime)
        return Response(
            status: .ok, headers: [.contentType: "text/plain"],
            body: ResponseBody { writer in
                try await stream.write { try await writer.write(ByteBuffer(bytes: $0)) }
                try await writer.finish(nil)
            })
    }
}

/// What belongs to one request of the node's API.
struct NodeRequestContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

extension Response {
    /// A refusal, in the form that the API server passes on to its own client.
    fileprivate static func failure(_ error: StatusError) -> Response {
        Response(
            status: HTTPResponse.Status(code: error.code), headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: error.status.serialized())))
    }

    /// An answer in plain text.
    static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
