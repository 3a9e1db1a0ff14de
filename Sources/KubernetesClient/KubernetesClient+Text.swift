import AsyncHTTPClient
import NIOCore

extension KubernetesClient {
    /// Sends one request without a body and returns the answer as text, such as the output of a command that a node ran.
    ///
    /// Throws the server's `StatusError` for answers other than 2xx, and the transport's error when there was no answer.
    public func requestText(
        _ method: HTTPMethod, path: String, query: [(String, String)] = []
    ) async throws -> String {
        let response = try await send(method, path: path, query: query, body: nil)
        return String(buffer: try await response.body.collect(upTo: Self.maximumBodySize))
    }
}
