package import JSON
package import KubernetesAPI

extension WriteTransaction {
    /// Changes an object; one that the change allows to go is removed.
    ///
    /// - Parameters:
    ///   - resource: Index of the resource.
    ///   - subresource: `status`, another subresource whose body is the object, or nil.
    ///   - change: Makes the new object from the present one.
    package mutating func update(
        _ resource: Int, _ key: ObjectKey, subresource: String? = nil, _ options: WriteOptions,
        _ change: (JSONValue) throws(StatusError) -> JSONValue
    ) throws(StatusError) -> StoredObject {
        let definition = definitions[resource]
        guard let stored = object(resource, key) else { throw .notFound(definition.resource, key.name) }
        var old = stored.value
        var new = try change(old)
        let owners = old.takeManagedFields()
        let sentOwners = new.takeManagedFields()
        try checkIdentity(new, stored, old, definition)
        keepServerFields(&new, old)
        new.dropRepeatedOwners(options.warnings, isPatch: options.isPatch)
        try checkFinalizers(new, old, definition.resource)
        new = definition.inOrder(new)
        let sent = new
        let write = AdmittedWrite(
            operation: .update, resource: definition.resource, key: key, subresource: subresource, new: new, old: old)
        try ask(about: write, options) { context throws(StatusError) in
            try definition.strategy.admitUpdate(&new, replacing: old, context)
        }
        new.set(.string(String(stored.revision)), at: "metadata", "resourceVersion")
        let newOwners: JSONValue?
        switch options.tracking {
        case .manager(let manager) where subresource != "binding":
            newOwners = definition.owners(
                owners, from: old, to: new, sent: (sent, sentOwners), manager, subresource, at: nowText)
        case .applied: newOwners = sentOwners
        case .none, .manager: newOwners = owners
        }
        if new == old, newOwners == owners { return stored }
        if definition.countsGenerations, definition.desiredState(new) != definition.desiredState(old) {
            new.set(.integer(Int64((old.at("metadata", "generation")?.int ?? 0) + 1)), at: "metadata", "generation")
        }
        if let newOwners { new.set(newOwners, at: "metadata", "managedFields") }
        if new.isTerminating, definition.mayGo(new), (new.at("metadata", "deletionGracePeriodSeconds")?.int ?? 0) == 0 {
            return remove(new, resource, key)
        }
        return put(new, resource, key)
    }

    private func checkIdentity(
        _ new: JSONValue, _ stored: StoredObject, _ old: JSONValue, _ definition: ResourceDefinition
    ) throws(StatusError) {
        let resource = definition.resource
        if let uid = new.at("metadata", "uid")?.string, !uid.isEmpty, let own = old.at("metadata", "uid")?.string,
            uid != own
        {
            throw .conflict(
                resource, stored.key.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(own)")
        }
        let version = new.at("metadata", "resourceVersion")?.string ?? ""
        if version.isEmpty {
            guard !definition.needsVersionOnUpdate else { throw .versionRequired(resource, stored.key.name) }
        } else if version != String(stored.revision) {
            throw .modified(resource, stored.key.name)
        }
    }

    /// Fields of metadata that only the server sets.
    private func keepServerFields(_ new: inout JSONValue, _ old: JSONValue) {
        var metadata = new["metadata"] ?? [:]
        metadata["selfLink"] = nil
        let kept = [
            "name", "namespace", "uid", "generateName", "creationTimestamp", "deletionTimestamp",
            "deletionGracePeriodSeconds", "generation",
        ]
        for field in kept {
            metadata[field] = old.at("metadata", field)
        }
        new["metadata"] = metadata
    }

    private func checkFinalizers(
        _ new: JSONValue, _ old: JSONValue, _ resource: Resource
    ) throws(StatusError) {
        guard old.isTerminating else { return }
        let before = Set(old.finalizers)
        let added = new.finalizers.filter { !before.contains($0) }
        guard added.isEmpty else {
            let list = added.map { "\"\($0)\"" }.joined(separator: ", ")
            throw .invalid(
                kind: resource.kind, group: resource.group, name: old.at("metadata", "name")?.string ?? "",
                causes: [
                    .forbidden(
                        "metadata.finalizers",
                        "no new finalizers can be added if the object is being deleted, found new finalizers "
                            + "[]string{\(list)}")
                ])
        }
    }
}

extension JSONValue {
    /// True for an object that is being deleted.
    var isTerminating: Bool { at("metadata", "deletionTimestamp")?.string != nil }

    /// The names that keep an object from going.
    var finalizers: [String] { at("metadata", "finalizers")?.array?.compactMap(\.string) ?? [] }
}

extension ResourceDefinition {
    /// What `metadata.generation` counts the changes of.
    func desiredState(_ object: JSONValue) -> JSONValue {
        var state = object
        state["metadata"] = nil
        state["status"] = nil
        return state
    }

    /// True when nothing keeps a deleted object any more.
    func mayGo(_ object: JSONValue) -> Bool {
        object.finalizers.isEmpty && !(isHeldBySpecification && !(object.at("spec", "finalizers")?.array ?? []).isEmpty)
    }
}
