import JSON
import KubernetesAPI

/// Gives the cluster the default roles and bindings, and gives back what of them was taken away.
///
/// As in Kubernetes, what was added to them stays, and an object with the annotation
/// `rbac.authorization.kubernetes.io/autoupdate: "false"` stays as it is.
struct AccessBootstrap: Sendable {
    let store: Store

    func run() async throws {
        let wanted: [(Resource, [JSONValue])] = [
            (.clusterRoles, DefaultRoles.roles.map(\.object)),
            (.clusterRoleBindings, DefaultRoles.bindings.map(\.object)),
        ]
        do {
            for (resource, objects) in wanted {
                guard let index = store.index(of: resource) else { continue }
                try await store.write { transaction throws(StatusError) in
                    for object in objects {
                        try Self.ensure(object, index, &transaction)
                    }
                }
            }
        } catch let error as StatusError {
            throw ConfigurationError("cannot create the default roles: \(error)")
        }
    }

    private static func ensure(
        _ object: JSONValue, _ index: Int, _ transaction: inout WriteTransaction
    ) throws(StatusError) {
        let key = ObjectKey(name: object.at("metadata", "name")?.string ?? "")
        guard let present = transaction.object(index, key)?.value else {
            _ = try transaction.create(object, index, namespace: "", WriteOptions())
            return
        }
        guard present.at("metadata", "annotations", DefaultRoles.autoUpdate)?.string != "false" else { return }
        let completed = completed(present, by: object)
        if completed != present {
            _ = try transaction.update(index, key, WriteOptions()) { _ in completed }
        }
    }

    /// The object with what it lacks of its default.
    static func completed(_ present: JSONValue, by wanted: JSONValue) -> JSONValue {
        var object = present
        for map in ["labels", "annotations"] {
            for (key, value) in wanted.at("metadata", map)?.object ?? [:] where present.at("metadata", map, key) == nil
            {
                object.set(value, at: "metadata", map, key)
            }
        }
        if wanted["rules"] != nil {
            let rules = present["rules"]?.array ?? []
            let missing = PolicyRule.missing(
                from: rules.map(PolicyRule.init(json:)),
                toGrant: (wanted["rules"]?.array ?? []).map(PolicyRule.init(json:)))
            if !missing.isEmpty { object["rules"] = .array(rules + missing.map(\.json)) }
        }
        if let subjects = wanted["subjects"]?.array, wanted["roleRef"] == present["roleRef"] {
            let held = present["subjects"]?.array ?? []
            let missing = subjects.filter { !held.contains($0) }
            if !missing.isEmpty { object["subjects"] = .array(held + missing) }
        }
        return object
    }
}
