package import KubernetesAPI

/// Decides who may do what: superusers everything, nodes what their pods need, everyone what roles and bindings say.
package final class AccessControl: Sendable {
    private let store: Store
    private let roles: StoreIndex<RoleIndex>
    private let pods: StoreIndex<NodePods>

    /// Follows the roles, bindings and pods of a store.
    package init(store: Store) {
        self.store = store
        roles = StoreIndex(
            store, [.clusterRoles, .roles, .clusterRoleBindings, .roleBindings], empty: RoleIndex()
        ) { index, resource, key, object in
            let place = RoleIndex.Key(namespace: key.namespace, name: key.name)
            switch resource {
            case .clusterRoles, .roles: index.setRole(place, object: object?.value)
            default: index.setBinding(place, object: object?.value)
            }
        }
        let definition = store.index(of: .pods).map { store.definitions[$0] }
        let field = definition?.fields.firstIndex { $0.name == "spec.nodeName" }
        pods = StoreIndex(store, [.pods], empty: NodePods()) { index, _, key, object in
            index.set(key, node: field.flatMap { object?.fields[$0] })
        }
    }

    /// Decides on a request.
    package func decide(_ request: AccessRequest, by user: User) -> AccessDecision {
        if user.isSuperuser { return .allowed }
        var reason = ""
        if let node = user.nodeName {
            let decision = NodeAccess.decide(request, of: node) { isRelated($0, to: node) }
            guard case .noOpinion(let text) = decision else { return .allowed }
            reason = text
        }
        let isAllowed = roles.read { $0.allows(user: user.name, groups: user.groups, request) }
        return isAllowed ? .allowed : .noOpinion(reason)
    }

    /// Refuses what a user may not do.
    package func require(_ request: AccessRequest, by user: User) throws(StatusError) {
        guard case .noOpinion(let reason) = decide(request, by: user) else { return }
        throw .forbidden(request, user: user.name, reason: reason)
    }

    /// The rules that hold for a user in a namespace; an empty one gives those that hold everywhere.
    package func rules(of user: User, namespace: String) -> [PolicyRule] {
        let granted = roles.read { $0.rules(user: user.name, groups: user.groups, namespace: namespace) }
        return user.isSuperuser ? PolicyRule.everything + granted : granted
    }

    /// The rules of a role; nil for one that does not exist.
    package func rules(of role: RoleIndex.Key) -> [PolicyRule]? {
        roles.read { $0.rules(of: role) }
    }

    private func isRelated(_ object: NodeAccess.Related, to node: String) -> Bool {
        guard let index = store.index(of: .pods) else { return false }
        return pods.read { pods in
            pods.isRelated(object, to: node) { store.object(index, $0)?.value }
        }
    }
}

extension PolicyRule {
    /// Rules that allow everything.
    package static let everything = [
        PolicyRule(["*"], groups: ["*"], resources: ["*"]), PolicyRule(["*"], urls: ["*"]),
    ]
}
