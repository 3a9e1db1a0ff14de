public import JSON

extension RoleIndex {
    /// Follows a Role or ClusterRole; nil removes it.
    public mutating func setRole(_ key: Key, object: JSONValue?) {
        setRole(key, object.map { ($0["rules"]?.array ?? []).map(PolicyRule.init(json:)) })
    }

    /// Follows a RoleBinding or ClusterRoleBinding; nil removes it.
    public mutating func setBinding(_ key: Key, object: JSONValue?) {
        setBinding(key, object.map { Binding($0, namespace: key.namespace) })
    }
}

extension RoleIndex.Binding {
    /// Reads a binding; a Role is one of the binding's own namespace.
    public init(_ object: JSONValue, namespace: String) {
        let isClusterRole = object.at("roleRef", "kind")?.string == "ClusterRole"
        let name = object.at("roleRef", "name")?.string ?? ""
        self.init(
            role: RoleIndex.Key(namespace: isClusterRole ? "" : namespace, name: name),
            subjects: (object["subjects"]?.array ?? []).compactMap { RoleIndex.Subject($0, namespace: namespace) })
    }
}

extension RoleIndex.Subject {
    /// Reads a subject; nil for a kind that is not known.
    init?(_ object: JSONValue, namespace: String) {
        let name = object["name"]?.string ?? ""
        switch object["kind"]?.string {
        case "User": self = .user(name)
        case "Group": self = .group(name)
        case "ServiceAccount":
            let own = object["namespace"]?.string ?? ""
            self = .user(ServiceAccountName(namespace: own.isEmpty ? namespace : own, name: name).userName)
        default: return nil
        }
    }
}

/// A service account as a user.
public struct ServiceAccountName: Sendable, Hashable {
    /// Namespace of the account.
    public let namespace: String
    /// Name of the account.
    public let name: String

    private static let prefix = "system:serviceaccount:"

    /// Names an account.
    public init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// Reads the name of a user; nil for users that are no service accounts.
    public init?(userName: String) {
        guard userName.hasPrefix(Self.prefix) else { return nil }
        let parts = userName.dropFirst(Self.prefix.count).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, !parts[1].contains(":") else { return nil }
        self.init(namespace: String(parts[0]), name: String(parts[1]))
    }

    /// The name of the user.
    public var userName: String { "\(Self.prefix)\(namespace):\(name)" }

    /// The groups of the user.
    public var groups: [String] { ["system:serviceaccounts", "system:serviceaccounts:\(namespace)"] }
}
