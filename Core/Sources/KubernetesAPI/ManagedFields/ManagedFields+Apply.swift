public import JSON

/// Someone else set fields that a configuration wants to change.
public struct ApplyConflict: Error, Hashable, Sendable {
    /// One field.
    public struct Field: Hashable, Sendable {
        /// The other manager, as it is told to users.
        public let manager: String
        /// The path, such as `.spec.replicas`.
        public let path: String

        /// Names a field.
        public init(manager: String, path: String) {
            self.manager = manager
            self.path = path
        }
    }

    /// The fields, by manager.
    public let fields: [Field]

    /// Makes a conflict.
    public init(fields: [Field]) { self.fields = fields }
}

/// Why a configuration was not applied.
public enum ApplyFailure: Error, Hashable, Sendable {
    /// Others own fields that it changes.
    case conflict(ApplyConflict)
    /// It cannot be told which elements of a list it means.
    case malformed(OwnershipError)
}

/// A configuration to apply, and what it is applied to.
public struct ApplyRequest: Sendable {
    /// Who applies.
    public let writer: FieldWriter
    /// The object as it is, without its managed fields; nil for a new one.
    public let live: JSONValue?
    /// The owners of its fields.
    public let owners: ManagedFields
    /// The fields that the manager wants to have, with their values.
    public let configuration: JSONValue
    /// Whether fields are taken from their owners.
    public let isForced: Bool
    /// How the object's fields are owned.
    public let shape: OwnershipShape

    /// Describes a request.
    public init(
        writer: FieldWriter, live: JSONValue?, owners: ManagedFields, configuration: JSONValue, isForced: Bool,
        shape: OwnershipShape
    ) {
        self.writer = writer
        self.live = live
        self.owners = owners
        self.configuration = configuration
        self.isForced = isForced
        self.shape = shape
    }

    /// The object and its owners afterwards (KEP-555).
    ///
    /// Fields that the manager applied before, does not apply now and nobody else applies are removed.
    public func run() throws(ApplyFailure) -> (object: JSONValue, owners: ManagedFields) {
        let given: FieldSet
        do throws(OwnershipError) {
            given = try FieldSet(applied: configuration, shape).withoutServerFields
        } catch {
            throw .malformed(error)
        }
        var owners = owners
        if let live, owners.entries.isEmpty { owners = untracked(live) }
        let identity = [writer.manager, "Apply", "", writer.subresource]
        let last = owners.entries.first { $0.identity == identity }
        owners.entries.removeAll { $0.identity == identity }
        var entry = ManagedFields.Entry(
            manager: writer.manager, isApplied: true, apiVersion: writer.apiVersion, subresource: writer.subresource,
            time: writer.time, fields: given)
        guard let live else { return (configuration, ManagedFields(entries: given.isEmpty ? [] : [entry])) }
        let applied = owners.entries.filter(\.isApplied).reduce(given) { $0.union($1.fields) }
        let object = pruned(shape.merge(configuration, into: live), last: last?.fields, applied: applied)
        let changes = FieldChanges(from: live, to: object, shape)
        try refuseConflicts(changes.changed, owners, live)
        owners.lose(changes.changed, removed: changes.removed)
        if let last, last.fields == given, changes.isEmpty { entry.time = last.time }
        if !given.isEmpty { owners.entries.append(entry) }
        return (object, owners)
    }

    /// The owner of an object from before owners were noted.
    private func untracked(_ live: JSONValue) -> ManagedFields {
        let first = FieldWriter(
            manager: "before-first-apply", apiVersion: writer.apiVersion, subresource: writer.subresource,
            time: writer.time)
        return ManagedFields(creator: first, FieldChanges(from: nil, to: live, shape))
    }

    /// The merged object without what the manager has let go.
    private func pruned(_ merged: JSONValue, last: FieldSet?, applied: FieldSet) -> JSONValue {
        guard let last, !last.isEmpty else { return merged }
        let all = fields(of: merged)
        // Emptied on the way is not gone: who applied an empty object loses nothing of it to the next apply.
        let without = shape.remove(last.nodes, from: merged, marksEmptied: true) ?? [:]
        // Back comes what someone applies, and then what the manager never had.
        let unwanted = all.subtracting(fields(of: without).union(applied.withObjects(shape)))
        let kept = shape.remove(unwanted.nodes, from: merged, marksEmptied: true) ?? [:]
        let doomed = all.subtracting(fields(of: kept)).intersection(last.withObjects(shape))
        return shape.remove(doomed.nodes, from: merged) ?? [:]
    }

    private func fields(of value: JSONValue) -> FieldSet { FieldSet(of: value, shape).withObjects(shape) }

    private func refuseConflicts(
        _ changed: FieldSet, _ owners: ManagedFields, _ live: JSONValue
    ) throws(ApplyFailure) {
        guard !isForced else { return }
        var taken = changed
        if writer.manager == LastApplied.manager, let allowed = LastApplied.fields(of: live, writer.apiVersion, shape) {
            taken = changed.subtracting(allowed)
        }
        var fields: [ApplyConflict.Field] = []
        for entry in owners.entries.sorted(by: { $0.identity.lexicographicallyPrecedes($1.identity) }) {
            fields += entry.fields.intersection(taken).paths.map {
                ApplyConflict.Field(manager: entry.description, path: $0)
            }
        }
        guard fields.isEmpty else { throw .conflict(ApplyConflict(fields: fields)) }
    }
}
