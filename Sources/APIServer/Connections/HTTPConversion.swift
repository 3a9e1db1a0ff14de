import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTP1

extension Request {
    /// A request from its head; nil for a method that is no token.
    init?(_ head: HTTPRequestHead, _ body: RequestBody) {
        guard let method = HTTPRequest.Method(head.method) else { return nil }
        var fields = HTTPFields()
        fields.reserveCapacity(head.headers.count)
        for (name, value) in head.headers {
            // Names that are no tokens do not come this far.
            guard let name = HTTPField.Name(name) else { continue }
            fields.append(HTTPField(name: name, value: value))
        }
        let request = HTTPRequest(
            method: method, scheme: "https", authority: head.headers.first(name: "Host"),
            path: Self.target(head.uri), headerFields: fields)
        self.init(head: request, body: body)
    }

    /// Path and query of a request's target, which a client that takes the server for a proxy sends with scheme and
    /// authority (RFC 9112 §3.2.2).
    private static func target(_ text: String) -> String {
        guard !text.utf8.starts(with: "/".utf8), let scheme = text.firstRange(of: "://") else { return text }
        let rest = text[scheme.upperBound...]
        return rest.firstIndex { $0 == "/" || $0 == "?" }.map { start in
            rest[start] == "/" ? String(rest[start...]) : "/" + rest[start...]
        } ?? "/"
    }
}

extension HTTPRequest.Method {
    /// The method of a name that the parser knows, or of another token.
    init?(_ method: HTTPMethod) {
        switch method {
        case .GET: self = .get
        case .HEAD: self = .head
        case .POST: self = .post
        case .PUT: self = .put
        case .PATCH: self = .patch
        case .DELETE: self = .delete
        case .OPTIONS: self = .options
        default: self.init(method.rawValue)
        }
    }
}

extension HTTPHeaders {
    /// The headers of an answer, with its date.
    init(_ response: Response) {
        self.init()
        reserveCapacity(response.headers.count + 2)
        for field in response.headers {
            add(name: field.name.rawName, value: field.value)
        }
        add(name: "Date", value: HTTPDate.now)
    }

    /// The headers after a body.
    init(_ trailers: HTTPFields) {
        self.init(trailers.map { ($0.name.rawName, $0.value) })
    }
}
