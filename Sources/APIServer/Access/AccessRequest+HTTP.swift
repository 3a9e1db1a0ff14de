import HTTPTypes
import HummingbirdCore
import KubernetesAPI

extension AccessRequest {
    /// What an HTTP request wants to do.
    init(_ request: Request, _ target: RequestTarget, _ query: Query) {
        guard case .resource(let path) = target else {
            // HEAD asks for no more than GET.
            let method = request.method == .head ? .get : request.method
            let path = request.uri.path
            self.init(method.rawValue.lowercased(), path: path.isEmpty ? "/" : path)
            return
        }
        // A namespace is in itself, so that a role in a namespace can allow reading it.
        let isNamespace = path.group.isEmpty && path.plural == "namespaces"
        self.init(
            Self.verb(request.method, path, query), group: path.group, resource: path.plural,
            subresource: path.subresource ?? "", namespace: (isNamespace ? path.name : path.namespace) ?? "",
            name: path.name ?? "")
        if name.isEmpty, let text = query["fieldSelector"], let selector = try? FieldSelector(text) {
            for requirement in selector.requirements where requirement.isEqual {
                selectedFields[requirement.path] = requirement.value
            }
            name = selectedFields["metadata.name"] ?? ""
        }
    }

    private static func verb(
        _ method: HTTPRequest.Method, _ path: RequestTarget.ResourcePath, _ query: Query
    ) -> String {
        switch method {
        case .get, .head:
            if path.isWatch { return "watch" }
            if path.name != nil { return "get" }
            return query.flag("watch") ? "watch" : "list"
        case .post: return "create"
        case .put: return "update"
        case .patch: return "patch"
        case .delete: return path.name == nil ? "deletecollection" : "delete"
        default: return method.rawValue.lowercased()
        }
    }
}
