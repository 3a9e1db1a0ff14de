import AsyncHTTPClient
import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI
import NIOCore
import NIOHTTP1
import NIOPosix
import Streaming

extension NodeClient {
    /// Methods that are passed on.
    private static let proxied: Set<HTTPRequest.Method> = [.get, .head, .post, .put, .patch, .delete, .options]

    /// Answers `services/…/proxy/…`, `pods/…/proxy/…` and `nodes/…/proxy/…`: passes the request on as it is.
    func proxy(_ call: APIHandler.Call, _ store: Store) async throws -> Response {
        guard Self.proxied.contains(call.request.method) else {
            throw StatusError.methodNotAllowed(call.resource, call.request.method.rawValue.lowercased())
        }
        let backends = try backends(of: call, store)
        let path = ProxyPath(call.request.uri.path, depth: call.path.depth)
        let query = call.request.uri.query.map { "?" + $0 } ?? ""
        let target = (path.rest.isEmpty ? "/" : path.rest) + query
        let headers = forwarded(call, path)
        if Self.isUpgrade(call.request) {
            return try await upgrade(call, backends, target, headers)
        }
        guard !path.rest.isEmpty else {
            // Links in the answer are relative to a directory.
            return Response(status: .movedPermanently, headers: [.location: path.prefix + "/" + query])
        }
        return try await pass(call, backends, target, headers, path)
    }

    /// Where the request may go: to the first, or to one of another family when that cannot be reached.
    private func backends(of call: APIHandler.Call, _ store: Store) throws(StatusError) -> [ProxyBackend] {
        let name = try ProxyName(call.key.name, of: call.resource)
        let key = ObjectKey(namespace: call.key.namespace, name: name.name)
        switch call.resource {
        case .nodes:
            return [try ProxyBackend(agent: try address(of: name.name, store), name)]
        case .pods:
            guard let pod = store.object(call.index, key)?.value else { throw .notFound(call.resource, key.name) }
            return [try ProxyBackend(pod: pod, name)]
        default:
            return try endpoints(of: call, key, name, store)
        }
    }

    private func endpoints(
        of call: APIHandler.Call, _ key: ObjectKey, _ name: ProxyName, _ store: Store
    ) throws(StatusError) -> [ProxyBackend] {
        guard let service = store.object(call.index, key)?.value else { throw .notFound(call.resource, key.name) }
        guard let sliceIndex = store.index(of: .endpointSlices), let podIndex = store.index(of: .pods) else {
            return []
        }
        let slices = serviceSlices.read { $0[key] }.compactMap { store.object(sliceIndex, $0)?.value }
        let all = try ProxyBackend.endpoints(of: service, slices, name) { pod in
            store.object(podIndex, ObjectKey(namespace: key.namespace, name: pod))?.value
        }
        guard let first = all.randomElement() else {
            throw .serviceUnavailable("no endpoints available for service \"\(call.key.name)\"")
        }
        let second = all.filter { $0.family != first.family }.randomElement()
        return [first] + (second.map { [$0] } ?? [])
    }

    /// What is sent on of the request's headers: neither the client's credentials nor what belongs to its connection.
    private func forwarded(_ call: APIHandler.Call, _ path: ProxyPath) -> HTTPHeaders {
        var headers = HTTPHeaders()
        let own = Set(
            call.request.headers[values: .connection].flatMap { $0.split(separator: ",") }
                .map { $0.trimmingPrefix { $0 == " " }.lowercased() })
        for field in call.request.headers
        where !Self.connectionHeaders.contains(field.name.canonicalName) && !own.contains(field.name.canonicalName)
            && !field.name.canonicalName.hasPrefix("impersonate-")
        {
            headers.add(name: field.name.rawName, value: field.value)
        }
        let earlier = headers["x-forwarded-for"]
        if let client = call.context.channel.remoteAddress?.ipAddress {
            headers.replaceOrAdd(name: "X-Forwarded-For", value: (earlier + [client]).joined(separator: ", "))
        }
        headers.replaceOrAdd(name: "X-Forwarded-Uri", value: path.prefix + (path.rest.isEmpty ? "/" : path.rest))
        if let authority = call.request.head.authority {
            headers.replaceOrAdd(name: "X-Forwarded-Host", value: authority)
        }
        headers.replaceOrAdd(name: "X-Forwarded-Proto", value: "https")
        if headers["accept"].contains(where: { $0.contains("text/html") }) {
            // The links of a page can only be read as they are.
            headers.replaceOrAdd(name: "Accept-Encoding", value: "identity")
        }
        return headers
    }

    /// True for a request that wants another protocol on its connection; HTTP/2 in the clear is not one that can be had.
    private static func isUpgrade(_ request: Request) -> Bool {
        guard let wanted = request.headers[.upgrade]?.lowercased(), wanted != "h2c" else { return false }
        return request.headers[values: .connection].contains { $0.lowercased().contains("upgrade") }
    }

    private func upgrade(
        _ call: APIHandler.Call, _ backends: [ProxyBackend], _ target: String, _ headers: HTTPHeaders
    ) async throws -> Response {
        var headers = headers
        headers.replaceOrAdd(name: "Upgrade", value: call.request.headers[.upgrade] ?? "")
        var failure = StatusError.serviceUnavailable("error trying to reach service: no endpoint")
        for backend in backends {
            do throws(UpgradeError) {
                return try await UpgradeRequest(
                    HTTPMethod(rawValue: call.request.method.rawValue), host: backend.host, port: backend.port,
                    target: target, headers: headers,
                    tls: backend.isAgent ? tls : backend.isSecure ? strangerTLS : nil
                ).response(for: call.context.channel)
            } catch {
                failure = .serviceUnavailable("error trying to reach service: \(error.description)")
            }
        }
        throw failure
    }

    private func pass(
        _ call: APIHandler.Call, _ backends: [ProxyBackend], _ target: String, _ headers: HTTPHeaders,
        _ path: ProxyPath
    ) async throws -> Response {
        var failure = ""
        for backend in backends {
            let scheme = backend.isSecure || backend.isAgent ? "https" : "http"
            let authority = "\(backend.uriHost):\(backend.port)"
            var request = HTTPClientRequest(url: "\(scheme)://\(authority)\(target)")
            request.method = HTTPMethod(rawValue: call.request.method.rawValue)
            request.headers = headers
            let length = call.request.headers[.contentLength].flatMap { Int64($0) }
            if length ?? 0 > 0 || call.request.headers[.transferEncoding] != nil {
                request.body = .stream(call.request.body, length: length.map { .known($0) } ?? .unknown)
            }
            do {
                // What is proxied may last as long as the client likes.
                let answer = try await (backend.isAgent ? client : stranger).execute(request, deadline: .distantFuture)
                let hosts = [authority, backend.uriHost, call.request.head.authority ?? ""]
                let links = Self.isPage(answer) ? LinkRewriter(path, of: hosts) : nil
                var response = Self.response(answer, links)
                if let location = response.headers[.location] {
                    response.headers[.location] = path.location(location, of: hosts)
                }
                return response
            } catch {
                failure = Self.cause(error, authority)
                guard Self.isUnconnected(error) else { break }
            }
        }
        throw StatusError.serviceUnavailable("error trying to reach service: \(failure)")
    }

    /// True for a whole page in HTML whose links can be read.
    private static func isPage(_ answer: HTTPClientResponse) -> Bool {
        let type = (answer.headers.first(name: "content-type") ?? "").lowercased()
        let encodings = answer.headers["content-encoding"].map { $0.lowercased() }
        return MediaRange(type).type == "text/html" && !type.contains("utf-16") && answer.status != .partialContent
            && encodings.allSatisfy { $0 == "identity" }
    }

    /// True when nothing of the request has been sent, so that it may go to another backend.
    private static func isUnconnected(_ error: any Error) -> Bool {
        error is NIOConnectionError || (error as? HTTPClientError) == .connectTimeout
    }

    private static func cause(_ error: any Error, _ authority: String) -> String {
        UpgradeError(authority: authority, error).description
    }
}

extension RequestTarget.ResourcePath {
    /// Number of the path's segments up to and with the subresource.
    var depth: Int {
        (group.isEmpty ? 2 : 3) + (isWatch ? 1 : 0) + (namespace == nil ? 0 : 2) + 3
    }
}
