import HTTPTypes
import Hummingbird
import JSON
import KubernetesAPI
import Logging

/// Answers every request of the server.
struct APIResponder: HTTPResponder {
    typealias Context = ServerRequestContext

    /// Paths that anyone may see.
    private static let open: Set<String> = ["readyz", "livez", "healthz", "version"]

    let handler: APIHandler
    let discovery: DiscoveryDocuments
    let openAPI: OpenAPIDocuments
    private var authenticator: Authenticator { handler.authenticator }

    func respond(to request: Request, context: ServerRequestContext) async throws -> Response {
        do {
            let response = try await answer(request, context)
            return request.method == .head ? response.withoutBody : response
        } catch let error as StatusError {
            return .failure(error)
        } catch {
            handler.logger.error(
                "request failed",
                metadata: ["method": "\(request.method)", "path": "\(request.uri.path)", "error": "\(error)"])
            return .failure(.internalError("\(error)"))
        }
    }

    private func answer(_ request: Request, _ context: ServerRequestContext) async throws -> Response {
        let target = RequestTarget(path: request.uri.path)
        if case .other(let segments) = target, let first = segments.first, Self.open.contains(first) {
            return try health(segments, request)
        }
        guard let user = try await authenticator.user(of: request, context) else { throw StatusError.unauthorized() }
        let query = Query(request.uri.query)
        var context = context
        context.user = try Impersonation(request.headers)?.user(for: user, handler.access) ?? user
        try handler.access.require(AccessRequest(request, target, query), by: context.user)
        switch target {
        case .resource(let path):
            guard let deadline = try RequestDeadline(request, query) else {
                return try await handler.respond(to: request, path, query, context)
            }
            return try await deadline.run(on: context.channel.eventLoop) { [handler, context] in
                try await handler.respond(to: request, path, query, context)
            }
        case .discovery(let segments), .other(let segments):
            guard request.method == .get || request.method == .head else { throw StatusError.unknownPath() }
            return segments.first == "openapi"
                ? try openAPI.answer(segments, request) : try discovery.answer(segments, request)
        }
    }

    private func health(_ segments: [String], _ request: Request) throws -> Response {
        if segments == ["version"] { return .value(ServerVersion.document) }
        guard segments.count == 1 else { throw StatusError.unknownPath() }
        // The server listens only once its state is recovered, so an answer means that it is well.
        guard request.uri.query?.contains("verbose") ?? false else { return .text("ok") }
        return .text("[+]ping ok\n[+]log ok\n\(segments[0]) check passed\n")
    }
}
