package import HTTPTypes
package import HummingbirdCore
package import NIOCore
import NIOHTTP1
package import NIOSSL

extension UpgradeRequest {
    /// Headers that a client's request for an upgrade has for the backend; credentials are none of them.
    private static let passedOn: Set<String> = [
        "upgrade", "user-agent", "x-stream-protocol-version", "sec-websocket-key", "sec-websocket-version",
        "sec-websocket-protocol", "sec-websocket-extensions", "origin",
    ]
    /// Headers of an answer that belong to one connection.
    private static let ownHeaders: Set<String> = ["connection", "content-length", "transfer-encoding", "date"]

    /// The request that asks a backend for the upgrade that a client asks for.
    package init(of request: Request, host: String, port: Int, target: String, tls: NIOSSLContext? = nil) {
        var headers = HTTPHeaders()
        for field in request.headers where Self.passedOn.contains(field.name.canonicalName) {
            headers.add(name: field.name.rawName, value: field.value)
        }
        self.init(
            HTTPMethod(rawValue: request.method.rawValue), host: host, port: port, target: target, headers: headers,
            tls: tls)
    }

    /// The answer for the client: the backend's connection after an upgrade, or what the backend answers instead.
    ///
    /// - Parameters:
    ///   - headers: what the client is told of the upgrade; nil for what the backend tells.
    ///   - translation: what stands between a client's WebSocket and the backend.
    package func response(
        for client: any Channel, headers: HTTPFields? = nil, translation: (any WebSocketTranslation)? = nil
    ) async throws(UpgradeError) -> Response {
        switch try await send(for: client) {
        case .upgraded(let backend, let answered):
            return await .relay(
                headers ?? Self.fields(answered), client: client, backend: backend, translation: translation)
        case .refused(let head, let body):
            return Response(
                status: HTTPResponse.Status(code: Int(head.status.code)), headers: Self.fields(head.headers),
                body: ResponseBody(byteBuffer: body))
        }
    }

    private static func fields(_ headers: HTTPHeaders) -> HTTPFields {
        var fields = HTTPFields()
        for (name, value) in headers where !ownHeaders.contains(name.lowercased()) {
            if let name = HTTPField.Name(name) {
                fields.append(HTTPField(name: name, value: value))
            }
        }
        return fields
    }
}
