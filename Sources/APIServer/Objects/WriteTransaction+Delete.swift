import JSON
package import KubernetesAPI

/// What a deletion came to.
package enum Deletion: Sendable {
    /// The object is gone; this was its last state.
    case removed(StoredObject)
    /// The object is marked and stays until its finalizers or its grace period end.
    case pending(StoredObject)
}

extension WriteTransaction {
    /// Deletes an object, or marks it for deletion.
    package mutating func delete(
        _ resource: Int, _ key: ObjectKey, _ options: DeleteOptions
    ) throws(StatusError) -> Deletion {
        let definition = definitions[resource]
        guard let stored = object(resource, key) else { throw .notFound(definition.resource, key.name) }
        var value = stored.value
        let write = AdmittedWrite(operation: .delete, resource: definition.resource, key: key, old: value)
        try options.write.requester?.admit(write, lookup)
        try checkPreconditions(options, stored, value, definition.resource)
        applyPropagation(options.propagation, &value)

        let deletion = value.at("metadata", "deletionTimestamp")?.string.flatMap { Timestamp($0) }
        let remaining = value.at("metadata", "deletionGracePeriodSeconds")?.int ?? 0
        let asked = options.gracePeriodSeconds.map { $0 < 0 ? 1 : $0 }
        // A period that has begun can only be made shorter.
        let grace =
            deletion == nil
            ? definition.gracePeriod(value).map { asked ?? $0 } ?? 0 : min(asked ?? remaining, remaining)
        if grace == 0, definition.mayGo(value) {
            return .removed(remove(value, resource, key))
        }
        if deletion == nil || grace < remaining {
            let start = deletion.map { $0.seconds - Int64(remaining) } ?? now.seconds
            let deadline = Timestamp(seconds: start + Int64(grace))
            value.set(.string(deadline.description), at: "metadata", "deletionTimestamp")
            value.set(.integer(Int64(grace)), at: "metadata", "deletionGracePeriodSeconds")
            if deletion == nil, definition.countsGenerations {
                let generation = value.at("metadata", "generation")?.int ?? 0
                value.set(.integer(Int64(generation + 1)), at: "metadata", "generation")
            }
        }
        definition.markTerminating(&value)
        if value == stored.value { return .pending(stored) }
        return .pending(put(value, resource, key))
    }

    private func checkPreconditions(
        _ options: DeleteOptions, _ stored: StoredObject, _ value: JSONValue, _ resource: Resource
    ) throws(StatusError) {
        let uid = value.at("metadata", "uid")?.string ?? ""
        if let wanted = options.uid, wanted != uid {
            throw .conflict(
                resource, stored.key.name,
                "the UID in the precondition (\(wanted)) does not match the UID in record (\(uid)). "
                    + "The object might have been deleted and then recreated")
        }
        if let wanted = options.resourceVersion, wanted != String(stored.revision) {
            throw .conflict(
                resource, stored.key.name,
                "the ResourceVersion in the precondition (\(wanted)) does not match the ResourceVersion in record "
                    + "(\(stored.revision)). The object might have been modified")
        }
    }

    /// Lets the garbage collector do what the client asked for before the object goes.
    private func applyPropagation(_ propagation: DeleteOptions.Propagation?, _ value: inout JSONValue) {
        guard let propagation else { return }
        let (orphan, foreground) = ("orphan", "foregroundDeletion")
        var finalizers = value.finalizers.filter { $0 != orphan && $0 != foreground }
        switch propagation {
        case .orphan: finalizers.append(orphan)
        case .foreground: finalizers.append(foreground)
        case .background: break
        }
        guard finalizers != value.finalizers else { return }
        value.set(
            finalizers.isEmpty ? nil : .array(finalizers.map { .string($0) }), at: "metadata", "finalizers")
    }
}
