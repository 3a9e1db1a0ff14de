/// What someone wants to do, as authorizers see it.
public struct AccessRequest: Sendable, Hashable {
    /// The verb, such as `get`, `deletecollection`, `impersonate`.
    public var verb: String
    /// API group of the resource.
    public var group: String
    /// Plural of the resource; empty for a path outside the resources.
    public var resource: String
    /// Subresource; empty for the resource itself.
    public var subresource: String
    /// Namespace; empty for cluster-scoped resources and for all namespaces.
    public var namespace: String
    /// Name of the object; empty for collections.
    public var name: String
    /// The path, for requests outside the resources.
    public var path: String
    /// The fields that a list or watch demands to be equal to a value.
    public var selectedFields: [String: String] = [:]

    /// A request for a resource.
    public init(
        _ verb: String, group: String, resource: String, subresource: String = "", namespace: String = "",
        name: String = ""
    ) {
        self.verb = verb
        self.group = group
        self.resource = resource
        self.subresource = subresource
        self.namespace = namespace
        self.name = name
        path = ""
    }

    /// A request for a path outside the resources.
    public init(_ verb: String, path: String) {
        self.verb = verb
        self.path = path
        group = ""
        resource = ""
        subresource = ""
        namespace = ""
        name = ""
    }

    /// True for a resource, false for another path.
    public var isResourceRequest: Bool { path.isEmpty }

    /// The resource with its subresource, as rules write it: `pods/log`.
    public var qualifiedResource: String { subresource.isEmpty ? resource : "\(resource)/\(subresource)" }

    /// Why a user may not do it, in the words of Kubernetes.
    public func refusal(user: String) -> String {
        guard isResourceRequest else { return "User \"\(user)\" cannot \(verb) path \"\(path)\"" }
        let place = namespace.isEmpty ? "at the cluster scope" : "in the namespace \"\(namespace)\""
        return "User \"\(user)\" cannot \(verb) resource \"\(qualifiedResource)\" in API group \"\(group)\" \(place)"
    }
}

extension StatusError {
    /// 403: the user may not do what the request asks for.
    ///
    /// - Parameter reason: What an authorizer says besides; empty for nothing.
    public static func forbidden(_ request: AccessRequest, user: String, reason: String = "") -> StatusError {
        let cause = request.refusal(user: user) + (reason.isEmpty ? "" : ": \(reason)")
        guard request.isResourceRequest else {
            return StatusError(code: 403, reason: "Forbidden", message: "forbidden: \(cause)", details: Details())
        }
        let resource = request.group.isEmpty ? request.resource : "\(request.resource).\(request.group)"
        let object = request.name.isEmpty ? resource : "\(resource) \"\(request.name)\""
        return StatusError(
            code: 403, reason: "Forbidden", message: "\(object) is forbidden: \(cause)",
            details: Details(name: request.name, group: request.group, kind: request.resource))
    }
}
