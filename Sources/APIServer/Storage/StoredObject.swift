package import JSON

/// One state of an object: its JSON text, and what selectors ask of it.
package final class StoredObject: Sendable {
    /// Where it stands.
    package let key: ObjectKey
    /// The revision that wrote this state.
    package let revision: Int64
    /// The whole object, beginning with `apiVersion` and `kind`.
    package let text: [UInt8]
    /// Its labels.
    package let labels: [String: String]
    /// Values of the resource's selectable fields, in their order.
    package let fields: [String]

    /// Freezes an object whose metadata are complete but for the resource version.
    package init(_ value: JSONValue, key: ObjectKey, revision: Int64, fields: [SelectableField]) {
        var value = value
        value.set(.string(String(revision)), at: "metadata", "resourceVersion")
        self.key = key
        self.revision = revision
        text = value.serialized()
        labels = value.at("metadata", "labels")?.object?.reduce(into: [:]) { $0[$1.key] = $1.value.string } ?? [:]
        self.fields = fields.map { $0.text(in: value) }
    }

    /// The object as a tree; reads the text anew, in time linear to its length.
    package var value: JSONValue {
        // The text was written by `serialized()`.
        (try? JSONValue(parsing: text)) ?? .null
    }
}
