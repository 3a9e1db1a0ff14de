import JSON
import KubernetesAPI

/// How a write notes whose fields it writes.
package enum OwnerTracking: Sendable, Hashable {
    /// Not at all: the server itself writes.
    case none
    /// What changes belongs to the manager of this name.
    case manager(String)
    /// The change comes with the owners that an apply left.
    case applied
}

extension ResourceDefinition {
    /// The owners of a new object, for `metadata.managedFields`.
    ///
    /// - Parameters:
    ///   - object: The object as it will be stored.
    ///   - sent: The object as the client sent it.
    ///   - time: The moment (RFC 3339).
    func owners(of object: JSONValue, sent: JSONValue, _ manager: String, at time: String) -> JSONValue? {
        let changes = changes(from: nil, to: object, sent: sent, nil)
        return ManagedFields(creator: writer(manager, nil, at: time), changes).json
    }

    /// The owners of an object after a plain write.
    ///
    /// - Parameters:
    ///   - owners: Those before.
    ///   - sent: The object as the client sent it, with the owners that it knows of.
    ///   - time: The moment (RFC 3339).
    func owners(
        _ owners: JSONValue?, from old: JSONValue, to new: JSONValue, sent: (object: JSONValue, owners: JSONValue?),
        _ manager: String, _ subresource: String?, at time: String
    ) -> JSONValue? {
        var managed: ManagedFields
        if subresource == nil, let list = sent.owners, list != owners, let told = ManagedFields(told: list) {
            managed = told
            managed.entries.removeAll { $0.apiVersion != resource.apiVersion }
        } else {
            managed = ManagedFields(stored: owners, apiVersion: resource.apiVersion)
        }
        // An object whose owners are not known gets some when it is applied first, not before.
        guard !managed.entries.isEmpty else { return nil }
        let changes = changes(from: old, to: new, sent: sent.object, subresource)
        managed.record(changes, by: writer(manager, subresource, at: time))
        return managed.json
    }

    /// Who writes, and when (RFC 3339).
    func writer(_ manager: String, _ subresource: String?, at time: String) -> FieldWriter {
        FieldWriter(manager: manager, apiVersion: resource.apiVersion, subresource: subresource ?? "", time: time)
    }

    /// What a client changed: not what the server adds, nor the status where that is written apart.
    private func changes(
        from old: JSONValue?, to new: JSONValue, sent: JSONValue, _ subresource: String?
    ) -> FieldChanges {
        let shape = OwnershipShape.of(resource)
        var changes = FieldChanges(from: old, to: new, shape)
        if subresource == nil, hasStatusSubresource {
            changes.changed.drop(["status"])
        }
        if !allocatedFields.isEmpty, !changes.changed.isEmpty {
            let sent = FieldSet(of: sent, shape)
            for path in allocatedFields { changes.changed.drop(path, unlessIn: sent) }
        }
        return changes
    }

    /// Whether the status is written through a subresource of its own.
    var hasStatusSubresource: Bool { subresources.contains { $0.name == "status" } }
}

extension ManagedFields {
    /// The owners that a client tells; nil when it tells none.
    fileprivate init?(told list: JSONValue) {
        if ManagedFields.isReset(list) {
            self.init()
            return
        }
        self.init(sent: list)
        if entries.isEmpty { return nil }
    }
}

extension JSONValue {
    /// Takes `metadata.managedFields` out of an object.
    mutating func takeManagedFields() -> JSONValue? {
        let fields = at("metadata", "managedFields")
        if fields != nil { set(nil, at: "metadata", "managedFields") }
        return fields
    }
}
