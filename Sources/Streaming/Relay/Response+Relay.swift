package import HTTPTypes
package import HummingbirdCore
package import NIOCore
import NIOSSL
import ServiceLifecycle

extension Response {
    /// `101`, after which the client's connection and the backend's are one.
    ///
    /// - Parameters:
    ///   - headers: what the client must know, `Upgrade` included.
    ///   - client: the connection of the request.
    ///   - backend: a connection that ``UpgradeRequest/send(for:)`` has made.
    ///   - translation: what stands between a client's WebSocket and the backend; nil passes bytes on as they are.
    package static func relay(
        _ headers: HTTPFields, client: any Channel, backend: any Channel,
        translation: (any WebSocketTranslation)? = nil
    ) async -> Response {
        await upgrade(headers, client) {
            try await client.eventLoop.submit { try Relay.join(client, backend, translation) }.get()
        }
    }

    /// `101`, after which the client's WebSocket gets the messages that `body` writes, and then ends: with the code 1000,
    /// or with 1011 and the error's text when `body` throws (RFC 6455 §7.4.1).
    ///
    /// - Parameter translation: What the messages look like to the client.
    package static func messages(
        _ headers: HTTPFields, client: any Channel, translation: any WebSocketTranslation = PlainTranslation(),
        _ body: @escaping @Sendable (WebSocketWriter) async throws -> Void
    ) async -> Response {
        await upgrade(headers, client) {
            let end = try await client.eventLoop.submit {
                let end = try Relay.takeOver(client, translation)
                end.drain()
                return NIOLoopBound(end, eventLoop: client.eventLoop)
            }.get()
            let failure: WebSocketFailure?
            do {
                try await body(WebSocketWriter(end: end, eventLoop: client.eventLoop))
                failure = nil
            } catch {
                failure = WebSocketFailure("\(error)")
            }
            try await client.eventLoop.submit { end.value.finish(failure) }.get()
        }
    }

    /// `101`, after which `body` takes the connection over; the answer is over when the connection is.
    private static func upgrade(
        _ headers: HTTPFields, _ client: any Channel, _ body: @escaping @Sendable () async throws -> Void
    ) async -> Response {
        // What the client sends once it has the answer must wait until the HTTP handlers are cut off. Where that cannot
        // be arranged the connection is over, and writing the answer says so.
        try? await client.setOption(.autoRead, value: false).get()
        var headers = headers
        headers[.connection] = "Upgrade"
        return Response(
            status: .switchingProtocols, headers: headers,
            body: ResponseBody { _ in
                try await withTaskCancellationHandler {
                    try await withGracefulShutdownHandler {
                        try await body()
                        try await client.closeFuture.get()
                    } onGracefulShutdown: {
                        client.close(promise: nil)
                    }
                } onCancel: {
                    client.close(promise: nil)
                }
            })
    }
}

/// Sends messages to the client of a WebSocket.
package struct WebSocketWriter: Sendable {
    let end: NIOLoopBound<RelayHandler>
    let eventLoop: any EventLoop

    /// Sends one message and waits until it has left.
    package func write(_ message: ByteBuffer) async throws {
        try await eventLoop.flatSubmit { [end, eventLoop] in
            end.value.write(message) ?? eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }.get()
    }
}

/// Takes connections away from their HTTP handlers, and joins them; to be called on the connections' event loop.
enum Relay {
    /// Takes a server's connection away from its HTTP handlers; a translation stands behind a WebSocket's framing.
    static func takeOver(_ client: any Channel, _ translation: (any WebSocketTranslation)?) throws -> RelayHandler {
        let pipeline = client.pipeline.syncOperations
        let end = RelayHandler(.client)
        let handlers = (translation.map(WebSocketHandler.handlers) ?? []) + [end]
        if let tls = try? pipeline.handler(type: NIOSSLServerHandler.self) {
            try pipeline.addHandlers(handlers, position: .after(tls))
        } else {
            try pipeline.addHandlers(handlers, position: .first)
        }
        return end
    }

    /// Joins a server's connection with one that ``UpgradeRequest/send(for:)`` has made.
    static func join(_ client: any Channel, _ backend: any Channel, _ translation: (any WebSocketTranslation)?) throws {
        let pipeline = backend.pipeline.syncOperations
        let upgrade = try pipeline.handler(type: UpgradeHandler.self)
        let backendEnd = RelayHandler(.backend)
        try pipeline.addHandler(backendEnd)
        RelayHandler.start(try takeOver(client, translation), backendEnd)
        upgrade.release(try pipeline.context(handler: upgrade))
        pipeline.removeHandler(upgrade, promise: nil)
    }
}
