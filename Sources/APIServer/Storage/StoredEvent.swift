/// One accepted write, as watchers and the log see it.
package struct StoredEvent: Sendable {
    /// The kind of change.
    package enum Kind: Int64, Sendable {
        /// The object is new.
        case added
        /// The object changed.
        case modified
        /// The object is gone; `object` is its last state, with the revision of the deletion.
        case deleted
    }

    /// Index of the resource in the registry.
    package let resource: Int
    /// The change.
    package let kind: Kind
    /// The object after the change.
    package let object: StoredObject
    /// The object before it; nil when it is new.
    package let previous: StoredObject?
}
