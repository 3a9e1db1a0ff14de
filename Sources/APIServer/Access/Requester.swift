package import KubernetesAPI

/// Who asks for a write, for the rules that depend on it; the server's own writes have none.
package struct Requester: Sendable {
    /// The user.
    package let user: User
    /// What users may do.
    package let access: AccessControl

    /// A user with what decides on its rights.
    package init(user: User, access: AccessControl) {
        self.user = user
        self.access = access
    }

    /// True when the user may do it.
    package func may(_ request: AccessRequest) -> Bool { access.decide(request, by: user) == .allowed }
}

extension APIHandler.Call {
    /// Refuses a request to change an object that would make it, from a user who may not create one.
    func requireCreation() throws(StatusError) {
        try access.require(
            AccessRequest(
                "create", group: resource.group, resource: resource.plural, namespace: key.namespace, name: key.name),
            by: context.user)
    }
}
