/// Who sends a request: a person, a node, a component or a pod's service account.
package final class User: Sendable, Hashable, CustomStringConvertible {
    /// The name that bindings and error texts call it by.
    package let name: String
    /// What tells users of the same name apart; empty when the credential says nothing.
    package let uid: String
    /// Its groups, in the order of the credential.
    package let groups: [String]
    /// Further attributes, such as the pod of a token.
    package let extra: [String: [String]]
    /// True for members of `system:masters`, who may do everything.
    package let isSuperuser: Bool
    /// The node that the user is; nil for other users.
    package let nodeName: String?

    /// Describes a user by what a credential says.
    package init(name: String, uid: String = "", groups: [String] = [], extra: [String: [String]] = [:]) {
        self.name = name
        self.uid = uid
        self.groups = groups
        self.extra = extra
        isSuperuser = groups.contains(Self.masters)
        let isNode = name.hasPrefix(Self.nodePrefix) && name != Self.nodePrefix && groups.contains(Self.nodes)
        nodeName = isNode ? String(name.dropFirst(Self.nodePrefix.count)) : nil
    }

    /// The group that may do everything.
    package static let masters = "system:masters"
    /// The group of all known users.
    package static let authenticated = "system:authenticated"
    /// The group of all others.
    package static let unauthenticated = "system:unauthenticated"
    /// The group of nodes.
    package static let nodes = "system:nodes"

    private static let nodePrefix = "system:node:"

    /// A client without credentials.
    package static let anonymous = User(name: "system:anonymous", groups: [unauthenticated])

    /// The user as a member of `system:authenticated`.
    package var asAuthenticated: User {
        if groups.contains(Self.authenticated) || name == Self.anonymous.name { return self }
        return User(name: name, uid: uid, groups: groups + [Self.authenticated], extra: extra)
    }

    package var description: String { name }

    package static func == (left: User, right: User) -> Bool {
        left.name == right.name && left.uid == right.uid && left.groups == right.groups && left.extra == right.extra
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(groups)
    }
}
