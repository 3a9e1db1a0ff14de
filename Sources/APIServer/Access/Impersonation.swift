package import HTTPTypes
package import KubernetesAPI

/// Another user in whose name a request is sent (`Impersonate-…` headers).
package struct Impersonation: Sendable {
    private static let prefix = "impersonate-"
    private static let extraPrefix = "extra-"

    private var name = ""
    private var uid = ""
    private var groups: [String] = []
    private var extra: [String: [String]] = [:]

    /// Reads the headers; nil when they name no other user.
    ///
    /// - Throws: 500 for attributes of a user without the user, as Kubernetes answers.
    package init?(_ headers: HTTPFields) throws(StatusError) {
        var isAsked = false
        for field in headers where field.name.canonicalName.hasPrefix(Self.prefix) {
            isAsked = true
            let key = field.name.canonicalName.dropFirst(Self.prefix.count)
            switch key {
            case "user": name = field.value
            case "uid": uid = field.value
            case "group": groups.append(field.value)
            case _ where key.hasPrefix(Self.extraPrefix):
                extra[Query.decodeSegment(key.dropFirst(Self.extraPrefix.count)), default: []].append(field.value)
            default: break
            }
        }
        guard isAsked else { return nil }
        guard !name.isEmpty else {
            throw .internalError("requested groups, uid or extra attributes without impersonating a user")
        }
    }

    /// The other user, if `user` may act for it in every respect.
    package func user(for user: User, _ access: AccessControl) throws(StatusError) -> User {
        let account = ServiceAccountName(userName: name)
        if let account {
            try access.require(
                AccessRequest(
                    "impersonate", group: "", resource: "serviceaccounts", namespace: account.namespace,
                    name: account.name), by: user)
        } else {
            try access.require(AccessRequest("impersonate", group: "", resource: "users", name: name), by: user)
        }
        for group in groups {
            try access.require(AccessRequest("impersonate", group: "", resource: "groups", name: group), by: user)
        }
        let authentication = "authentication.k8s.io"
        if !uid.isEmpty {
            try access.require(
                AccessRequest("impersonate", group: authentication, resource: "uids", name: uid), by: user)
        }
        for (key, values) in extra {
            for value in values {
                try access.require(
                    AccessRequest(
                        "impersonate", group: authentication, resource: "userextras", subresource: key, name: value),
                    by: user)
            }
        }
        let groups = groups.isEmpty ? account?.groups ?? [] : groups
        if name == User.anonymous.name {
            return User(name: name, uid: uid, groups: groups + [User.unauthenticated], extra: extra)
        }
        return User(name: name, uid: uid, groups: groups, extra: extra).asAuthenticated
    }
}
