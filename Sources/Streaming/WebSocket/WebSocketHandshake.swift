package import HTTPTypes
package import HummingbirdCore
package import NIOCore
import NIOHTTP1
import NIOWebSocket

/// A client's wish for a WebSocket (RFC 6455 §4).
package struct WebSocketHandshake: Sendable {
    private let request: HTTPRequestHead
    /// The sub-protocols that the client knows, in its order.
    package let protocols: [String]

    /// Reads the headers of a request; nil when it asks for no WebSocket.
    package init?(_ request: Request) {
        guard request.headers[.upgrade]?.lowercased() == "websocket" else { return nil }
        var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: request.uri.path)
        for field in request.headers {
            head.headers.add(name: field.name.rawName, value: field.value)
        }
        self.request = head
        protocols = head.headers[canonicalForm: "Sec-WebSocket-Protocol"].map(String.init)
    }

    /// The headers that accept the wish.
    ///
    /// - Throws: when the key is missing or the version is not 13.
    package func answer(protocol chosen: String?, on channel: any Channel) async throws -> HTTPFields {
        let upgrader = NIOTypedWebSocketServerUpgrader<Void>(
            shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture([:]) },
            upgradePipelineHandler: { channel, _ in channel.eventLoop.makeSucceededVoidFuture() })
        let headers = try await upgrader.buildUpgradeResponse(
            channel: channel, upgradeRequest: request, initialResponseHeaders: HTTPHeaders()
        ).get()
        var fields = HTTPFields()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) {
                fields[name] = value
            }
        }
        fields[.upgrade] = "websocket"
        if let chosen {
            fields[.secWebSocketProtocol] = chosen
        }
        return fields
    }
}
