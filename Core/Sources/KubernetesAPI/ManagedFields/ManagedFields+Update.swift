import JSON

/// Someone who writes, and how.
public struct FieldWriter: Hashable, Sendable {
    /// The name that the client goes by.
    public let manager: String
    /// The group and version of the object.
    public let apiVersion: String
    /// The subresource that is written; empty for the object itself.
    public let subresource: String
    /// The moment (RFC 3339).
    public let time: String

    /// Describes a writer.
    public init(manager: String, apiVersion: String, subresource: String, time: String) {
        self.manager = manager
        self.apiVersion = apiVersion
        self.subresource = subresource
        self.time = time
    }

    fileprivate func entry(_ fields: FieldSet) -> ManagedFields.Entry {
        ManagedFields.Entry(
            manager: manager, isApplied: false, apiVersion: apiVersion, subresource: subresource, time: time,
            fields: fields)
    }
}

extension ManagedFields {
    /// Number of entries for plain writes; older ones are put together.
    private static let maximumUpdaters = 10
    private static let collectiveName = "ancient-changes"

    /// The owner of a new object.
    public init(creator: FieldWriter, _ changes: FieldChanges) {
        let fields = changes.changed.withoutServerFields
        entries = fields.isEmpty ? [] : [creator.entry(fields)]
    }

    /// Notes a plain write: what it changed belongs to the writer alone, what it removed to nobody.
    public mutating func record(_ changes: FieldChanges, by writer: FieldWriter) {
        let changed = changes.changed.withoutServerFields
        lose(changed, removed: changes.removed)
        guard !changed.isEmpty else { return }
        var entry = writer.entry(changed)
        if let index = entries.firstIndex(where: { $0.identity == entry.identity }) {
            entry.fields = entries[index].fields.union(changed)
            entries[index] = entry
        } else {
            entries.append(entry)
        }
        limitUpdaters()
    }

    /// Takes fields from every entry but one; entries that have nothing left go.
    mutating func lose(_ fields: FieldSet, removed: FieldSet, except identity: [String]? = nil) {
        for index in entries.indices where entries[index].identity != identity {
            entries[index].fields = entries[index].fields.subtracting(fields).subtractingAll(below: removed)
        }
        entries.removeAll { $0.fields.isEmpty && $0.identity != identity }
    }

    private mutating func limitUpdaters() {
        let excess = entries.count { !$0.isApplied } - Self.maximumUpdaters
        guard excess > 0 else { return }
        // One more goes than is too much, because the collective entry takes a place.
        let oldest = entries.filter { !$0.isApplied }.sorted {
            ($0.time ?? "", $0.manager) < ($1.time ?? "", $1.manager)
        }
        .prefix(excess + 1)
        let doomed = Set(oldest.map(\.identity))
        entries.removeAll { doomed.contains($0.identity) }
        guard var collective = oldest.last else { return }
        collective.manager = Self.collectiveName
        collective.subresource = ""
        collective.fields = oldest.reduce(FieldSet()) { $0.union($1.fields) }
        entries.append(collective)
    }
}

extension FieldSet {
    private static let serverFields: FieldSet = {
        let metadata = [
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
            "resourceVersion",
        ]
        var below = JSONObject()
        for name in metadata { below[PathElement.field(name)] = [:] }
        return FieldSet(nodes: [
            "f:apiVersion": [:], "f:kind": [:], "f:metadata": Node(isMember: true, children: below).json ?? [:],
        ])
    }()

    /// The set without the fields that nobody owns.
    var withoutServerFields: FieldSet { subtracting(Self.serverFields) }
}
