package import JSON
import Synchronization

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
    private let selection: ObjectSelection
    private let selected = AtomicLazyReference<SelectedMembers>()

    /// Freezes an object whose metadata are complete but for the resource version.
    package init(_ value: JSONValue, key: ObjectKey, revision: Int64, written: Int64, _ selection: ObjectSelection) {
        var value = value
        value.set(.string(String(revision)), at: "metadata", "resourceVersion")
        self.key = key
        self.revision = revision
        self.written = written
        self.selection = selection
        text = value.serialized()
        _ = selected.storeIfNil(selection.members(of: value))
    }

    /// Takes a state whose text is already complete; without its value, the text is read once a selector asks.
    init(
        text: [UInt8], value: JSONValue? = nil, key: ObjectKey, revision: Int64, written: Int64,
        _ selection: ObjectSelection
    ) {
        self.key = key
        self.revision = revision
        self.written = written
        self.text = text
        self.selection = selection
        if let value { _ = selected.storeIfNil(selection.members(of: value)) }
    }

    /// What selectors ask of it.
    package var members: SelectedMembers {
        selected.load() ?? selected.storeIfNil(selection.members(of: text))
    }

    /// Its labels.
    package var labels: [String: String] { members.labels }
    /// Values of the resource's selectable fields, in their order.
    package var fields: [String] { members.fields }
    /// True when it is being deleted.
    package var isTerminating: Bool { members.isTerminating }

    /// The object as a tree; reads the text anew, in time linear to its length.
    package var value: JSONValue {
        // The text was written by `serialized()`.
        (try? JSONValue(parsing: text)) ?? .null
    }
}
