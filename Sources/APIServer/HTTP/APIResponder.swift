import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI
import Logging
import NIOCore

/// Answers every request of the server.
struct APIResponder {
    /// Paths that anyone may see.
    private static let open: Set<String> = ["readyz", "livez", "healthz", "version"]

    let handler: APIHandler
    let discovery: DiscoveryDocuments
    let openAPI: OpenAPIDocuments
    let issuer: IssuerDiscovery
    private var authenticator: Authenticator { handler.authenticator }

    func respond(to request: Request, _ context: ServerRequestContext) async -> Response {
        let id = AuditID(request)
        var response = await outcome(of: request, context, id)
        response.headers[.auditID] = id.description
        return response
    }

    private func outcome(of request: Request, _ context: ServerRequestContext, _ id: AuditID) async -> Response {
        do {
            let response = try await answer(request, context)
            return request.method == .head ? response.withoutBody : response.compressed(for: request)
        } catch let error as StatusError {
            return .failure(error)
        } catch {
            // The client has gone.
            guard !Task.isCancelled else { return .failure(.internalError("\(error)")) }
            handler.logger.error(
                "request failed",
                metadata: [
                    "method": "\(request.method)", "path": "\(request.uri.path)", "error": "\(error)",
                    "audit-id": "\(id)",
                ])
            return .failure(.internalError("\(error)"))
        }
    }

    private func answer(_ request: Request, _ context: ServerRequestContext) async throws -> Response {
        if case .other(let segments) = context.target, let first = segments.first, Self.open.contains(first) {
            return try health(segments, request)
        }
        guard let user = try await authenticator.user(of: request, context) else { throw StatusError.unauthorized() }
        var context = context
        context.user = try Impersonation(request.headers)?.user(for: user, handler.access) ?? user
        try handler.access.require(AccessRequest(request, context.target, context.query), by: context.user)
        switch context.target {
        case .resource(let path):
            let query = context.query
            let takesLong = Self.takesLong(request, path, query)
            guard let deadline = try RequestDeadline(request, context.target, query) else {
                // This is already the connection's thread; to prefer it once more would cost another turn of it.
                guard takesLong else { return try await handler.respond(to: request, path, query, context) }
                return try await withTaskExecutorPreference(globalConcurrentExecutor) { [context] in
                    try await handler.respond(to: request, path, query, context)
                }
            }
            let loop = context.channel.eventLoop
            let executor: any TaskExecutor = takesLong ? globalConcurrentExecutor : EventLoopTaskExecutor.of(loop)
            return try await deadline.run(on: loop, executor) { [handler, context] in
                try await handler.respond(to: request, path, query, context)
            }
        case .discovery(let segments), .other(let segments):
            guard request.method == .get || request.method == .head else { throw StatusError.unknownPath() }
            if let document = issuer.answer(request) { return document }
            if segments == ["metrics"] {
                var response = Response.text(MetricsDocument(handler.store, handler.counters).text)
                response.headers[.contentType] = MetricsDocument.type
                return response
            }
            return segments.first == "openapi"
                ? try openAPI.answer(segments, request) : try discovery.answer(segments, request)
        }
    }

    /// Bytes of a body up to which a request is answered on the thread of its connection, which others share.
    private static let shortBody = 64 << 10

    /// Whether a request may take more than a moment (lists, changes of many objects, large bodies), so that it is answered
    /// in a pool.
    private static func takesLong(_ request: Request, _ path: RequestTarget.ResourcePath, _ query: Query) -> Bool {
        switch request.method {
        case .get, .head: path.name == nil && !path.isWatch && !query.flag("watch")
        case .delete: path.name == nil
        default: request.headers[.contentLength].flatMap { Int($0) } ?? .max > shortBody
        }
    }

    private func health(_ segments: [String], _ request: Request) throws -> Response {
        if segments == ["version"] { return .value(ServerVersion.document) }
        if segments.count == 2, ["ping", "log"].contains(segments[1]), segments[0] != "version" { return .text("ok") }
        guard segments.count == 1 else { throw StatusError.unknownPath() }
        // The server listens only once its state is recovered, so an answer means that it is well.
        guard request.uri.query?.contains("verbose") ?? false else { return .text("ok") }
        return .text("[+]ping ok\n[+]log ok\n\(segments[0]) check passed\n")
    }
}
