package import JSON

/// One state of an object: its JSON text, and what selectors ask of it.
package final class StoredObject: Sendable {
    /// Where it stands.
    package let key: ObjectKey
    /// The revision that wrote this state.
    package let revision: Int64
    /// When this state was written, in seconds since 1970 by the clock of then.
    package let written: Int64
    /// The whole object, beginning with `apiVersion` and `kind`.
    package let text: [UInt8]
    /// Its labels.
    package let labels: [String: String]
    /// Values of the resource's selectable fields, in their order.
    package let fields: [String]
    /// True when it is being deleted.
    package let isTerminating: Bool

    /// Freezes an object whose metadata are complete but for the resource version.
    package convenience init(
        _ value: JSONValue, key: ObjectKey, revision: Int64, written: Int64, fields: [SelectableField]
    ) {
        var value = value
        value.set(.string(String(revision)), at: "metadata", "resourceVersion")
        self.init(
            selected: value, text: value.serialized(), key: key, revision: revision, written: written, fields: fields)
    }

    /// Takes a state whose text is already complete.
    ///
    /// - Parameter selected: At least the members of `selectedPaths`, and those that fields are read from.
    init(
        selected: JSONValue, text: [UInt8], key: ObjectKey, revision: Int64, written: Int64, fields: [SelectableField]
    ) {
        self.key = key
        self.revision = revision
        self.written = written
        self.text = text
        labels = selected.at("metadata", "labels")?.object?.reduce(into: [:]) { $0[$1.key] = $1.value.string } ?? [:]
        self.fields = fields.map { $0.text(in: selected) }
        isTerminating = selected.isTerminating
    }

    /// The members that are read of every object.
    static let selectedPaths = [["metadata", "labels"], ["metadata", "deletionTimestamp"]]

    /// The object as a tree; reads the text anew, in time linear to its length.
    package var value: JSONValue {
        // The text was written by `serialized()`.
        (try? JSONValue(parsing: text)) ?? .null
    }
}
