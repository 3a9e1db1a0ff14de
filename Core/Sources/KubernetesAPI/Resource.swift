/// A resource of the API: where it is served and what its objects are called.
public struct Resource: Hashable, Sendable {
    /// API group, empty for the core group.
    public let group: String
    /// Version within the group.
    public let version: String
    /// Lower-case plural, as in paths.
    public let plural: String
    /// Kind of its objects.
    public let kind: String
    /// True when its objects live in namespaces.
    public let isNamespaced: Bool

    /// Creates a resource description.
    public init(group: String, version: String, plural: String, kind: String, isNamespaced: Bool) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.isNamespaced = isNamespaced
    }

    /// The `apiVersion` of its objects, such as `apps/v1`.
    public var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// The path of the group and version, such as `/apis/apps/v1`.
    public var groupPath: String { group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)" }

    /// The path of the collection, one object, or a subresource of it; a nil namespace means all of them.
    public func path(namespace: String?, name: String? = nil, subresource: String? = nil) -> String {
        var path = groupPath
        if isNamespaced, let namespace {
            path += "/namespaces/\(namespace)"
        }
        path += "/\(plural)"
        if let name {
            path += "/\(name)"
            if let subresource {
                path += "/\(subresource)"
            }
        }
        return path
    }
}
