import JSON
package import KubernetesAPI

extension WriteTransaction {
    /// Lets a resource's strategy take note of a write, and writes the objects that come and go with this one.
    ///
    /// - Parameter new: The object as stored; nil for one that was removed.
    mutating func follow(_ new: JSONValue?, replacing previous: StoredObject?, _ resource: Int) {
        let strategy = definitions[resource].strategy
        guard strategy.isFollowed else { return }
        let before = previous.map { strategy.companions(of: $0.value) } ?? []
        let after = new.map { strategy.companions(of: $0) } ?? []
        for companion in before where !after.contains(companion) { drop(companion) }
        for companion in after { make(companion) }
        if let new {
            hold(Reservation(commit: { strategy.didStore(new) }))
        }
    }

    /// Makes a companion unless there is an object of its name.
    package mutating func make(_ companion: Companion) {
        guard var object = companion.content, let index = index(of: companion.resource) else { return }
        let key = ObjectKey(namespace: companion.namespace, name: companion.name)
        guard self.object(index, key) == nil else { return }
        var metadata = object["metadata"] ?? [:]
        metadata["name"] = .string(companion.name)
        metadata["namespace"] = companion.namespace.isEmpty ? nil : .string(companion.namespace)
        metadata["uid"] = .string(RandomNames.uuid())
        metadata["creationTimestamp"] = .string(nowText)
        object["metadata"] = metadata
        _ = put(definitions[index].inOrder(object), index, key)
    }

    /// Deletes a companion; one that says something else by now is someone else's.
    private mutating func drop(_ companion: Companion) {
        guard let index = index(of: companion.resource) else { return }
        let key = ObjectKey(namespace: companion.namespace, name: companion.name)
        guard let stored = object(index, key) else { return }
        if let content = companion.content, stored.value["spec"] != content["spec"] { return }
        // It exists and there are no preconditions, so that nothing can be refused.
        _ = try? delete(index, key, DeleteOptions())
    }

    /// The index of a resource; nil for one that the server does not have.
    package func index(of resource: Resource) -> Int? {
        definitions.firstIndex { $0.resource == resource }
    }
}
