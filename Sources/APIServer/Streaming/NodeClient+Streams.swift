import AsyncHTTPClient
import HTTPTypes
import HummingbirdCore
import KubernetesAPI
import NIOCore
import NIOHTTP1
import Streaming

extension NodeClient {
    /// Answers `pods/<name>/exec`, `attach` and `portforward`: joins the client with the pod's node.
    ///
    /// SPDY passes through. What a current client sends over a WebSocket is put into SPDY, which is what container
    /// runtimes of every age understand, and in which a command's input can end.
    func stream(_ stream: PodStream, of call: APIHandler.Call, _ store: Store) async throws -> Response {
        let pod = try pod(call, store)
        let target = try stream.target(pod, call)
        let node = try address(of: try node(of: pod, call), store)
        guard call.request.headers[.upgrade] != nil else {
            throw StatusError.badRequest("Upgrade request required")
        }
        guard let socket = WebSocketHandshake(call.request) else {
            return try await passOn(call, node, target)
        }
        switch stream {
        case .exec, .attach:
            for name in socket.protocols {
                guard let known = RemoteCommandTranslation.protocols.first(where: { $0.name == name }) else { continue }
                let streams = RemoteCommandTranslation.Streams(
                    stdin: call.query.flag("stdin"), stdout: call.query.flag("stdout"),
                    stderr: call.query.flag("stderr"), tty: call.query.flag("tty"))
                let translation = RemoteCommandTranslation(streams, endsChannels: known.endsChannels)
                return try await command(call, socket, name, translation, node, target)
            }
        case .portForward:
            let prefix = "SPDY/3.1+"
            if let name = socket.protocols.first(where: { $0.hasPrefix(prefix) }) {
                return try await tunnel(call, socket, prefix, String(name.dropFirst(prefix.count)), node, target)
            }
        }
        return try await passOn(call, node, target)
    }

    /// Lets the client speak with the node as it likes.
    private func passOn(_ call: APIHandler.Call, _ node: ProxyBackend, _ target: String) async throws -> Response {
        do throws(UpgradeError) {
            return try await UpgradeRequest(
                of: call.request, host: node.host, port: node.port, target: target, tls: tls
            ).response(for: call.context.channel)
        } catch {
            throw Self.unreachable(error.description)
        }
    }

    /// Translates the channels of a command's WebSocket; what goes wrong behind it is told on the channel for that.
    private func command(
        _ call: APIHandler.Call, _ socket: WebSocketHandshake, _ name: String,
        _ translation: RemoteCommandTranslation, _ node: ProxyBackend, _ target: String
    ) async throws -> Response {
        let client = call.context.channel
        let headers = try await accept(socket, name, client)
        let cause: String
        do throws(UpgradeError) {
            switch try await spdy("v4.channel.k8s.io", call, node, target).send(for: client) {
            case .upgraded(let backend, _):
                return await .relay(headers, client: client, backend: backend, translation: translation)
            case .refused(_, let body):
                cause = "unable to upgrade connection: \(String(buffer: body))"
            }
        } catch {
            cause = "error dialing backend: \(error)"
        }
        return await .messages(headers, client: client) { writer in
            try await writer.write(RemoteCommandTranslation.failure(cause))
        }
    }

    /// Carries the client's SPDY in its WebSocket.
    private func tunnel(
        _ call: APIHandler.Call, _ socket: WebSocketHandshake, _ prefix: String, _ name: String,
        _ node: ProxyBackend, _ target: String
    ) async throws -> Response {
        let client = call.context.channel
        let headers = try await accept(socket, prefix + name, client)
        do throws(UpgradeError) {
            return try await spdy(name, call, node, target)
                .response(for: client, headers: headers, translation: PlainTranslation())
        } catch {
            throw Self.unreachable(error.description)
        }
    }

    /// How messages with a log look by the protocol that the client chose; binary without a choice.
    private static let logTranslations: [String: any WebSocketTranslation] = [
        "binary.k8s.io": PlainTranslation(), "base64.binary.k8s.io": Base64Translation(),
    ]

    /// Carries a log in a WebSocket, as browsers read it.
    func messages(
        _ body: HTTPClientResponse.Body, _ socket: WebSocketHandshake, _ call: APIHandler.Call
    ) async throws -> Response {
        let name = socket.protocols.first { Self.logTranslations[$0] != nil }
        guard name != nil || socket.protocols.isEmpty else {
            throw StatusError.badRequest(
                "the WebSocket has no protocol of \(Self.logTranslations.keys.sorted().joined(separator: ", "))")
        }
        let client = call.context.channel
        let headers = try await accept(socket, name, client)
        let translation = name.flatMap { Self.logTranslations[$0] } ?? PlainTranslation()
        return await .messages(headers, client: client, translation: translation) { writer in
            let task = Task {
                // An empty message tells that the log has been found.
                try await writer.write(ByteBuffer())
                for try await chunk in body { try await writer.write(chunk) }
            }
            // A silent log would not notice that its reader has left.
            client.closeFuture.whenComplete { _ in task.cancel() }
            try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        }
    }

    private func spdy(
        _ version: String, _ call: APIHandler.Call, _ node: ProxyBackend, _ target: String
    ) -> UpgradeRequest {
        UpgradeRequest(
            .POST, host: node.host, port: node.port, target: target,
            headers: ["Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": version], tls: tls)
    }

    private func accept(
        _ socket: WebSocketHandshake, _ name: String?, _ client: any Channel
    ) async throws(StatusError) -> HTTPFields {
        do {
            return try await socket.answer(protocol: name, on: client)
        } catch {
            throw .badRequest("the WebSocket handshake is wrong: it needs Sec-WebSocket-Key and version 13")
        }
    }

    /// A node that does not answer is an error of the server without a reason, as clients know it.
    static func unreachable(_ cause: String) -> StatusError {
        StatusError(code: 500, reason: "", message: "error dialing backend: \(cause)")
    }
}
