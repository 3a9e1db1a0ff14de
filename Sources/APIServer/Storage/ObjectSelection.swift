import JSON

/// What selectors ask of the objects of one resource, and how it is read.
package final class ObjectSelection: Sendable {
    private let fields: [SelectableField]
    private let paths: JSONSelection

    /// Reads labels, whether an object is being deleted, and fields.
    package init(_ fields: [SelectableField]) {
        self.fields = fields
        paths = JSONSelection(
            paths: [["metadata", "labels"], ["metadata", "deletionTimestamp"]] + fields.flatMap(\.paths))
    }

    /// Looks at an object, or at a part of it that has what the selection reads.
    func members(of object: JSONValue) -> SelectedMembers {
        SelectedMembers(
            labels: object.at("metadata", "labels")?.object?.reduce(into: [:]) { $0[$1.key] = $1.value.string } ?? [:],
            fields: fields.map { $0.text(in: object) }, isTerminating: object.isTerminating)
    }

    /// Looks at a stored text.
    func members(of text: [UInt8]) -> SelectedMembers {
        // The text was written by `serialized()`.
        members(of: (try? JSONValue(parsing: text, only: paths)) ?? .null)
    }
}

/// What selectors ask of one object.
package final class SelectedMembers: Sendable {
    /// Its labels.
    let labels: [String: String]
    /// Values of the resource's selectable fields, in their order.
    let fields: [String]
    /// True when it is being deleted.
    let isTerminating: Bool

    init(labels: [String: String], fields: [String], isTerminating: Bool) {
        self.labels = labels
        self.fields = fields
        self.isTerminating = isTerminating
    }
}
