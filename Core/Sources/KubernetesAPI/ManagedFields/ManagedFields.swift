public import JSON

/// Who set which fields of an object (`metadata.managedFields`).
public struct ManagedFields: Hashable, Sendable {
    /// The fields of one manager.
    public struct Entry: Hashable, Sendable {
        /// The name that the client goes by.
        public var manager: String
        /// Whether the fields were applied, not just written.
        public var isApplied: Bool
        /// The group and version in which the paths are told.
        public var apiVersion: String
        /// The subresource that was written; empty for the object itself.
        public var subresource: String
        /// When the manager last changed something (RFC 3339); nil when that is not known.
        public var time: String?
        /// The fields.
        public var fields: FieldSet

        /// Describes what a manager owns.
        public init(
            manager: String, isApplied: Bool, apiVersion: String, subresource: String, time: String?, fields: FieldSet
        ) {
            self.manager = manager
            self.isApplied = isApplied
            self.apiVersion = apiVersion
            self.subresource = subresource
            self.time = time
            self.fields = fields
        }
    }

    /// The entries, each for another manager, way of writing, version or subresource.
    public var entries: [Entry]

    /// Makes a list.
    public init(entries: [Entry] = []) { self.entries = entries }
}

extension ManagedFields {
    /// Reads the list as this server stored it; what is no entry is left out.
    ///
    /// - Parameter apiVersion: Fields told in another version mean nothing here.
    public init(stored json: JSONValue?, apiVersion: String) {
        entries = (json?.array ?? []).compactMap { element in
            guard let fields = element["fieldsV1"]?.object else { return nil }
            return Entry(element, fields: FieldSet(nodes: fields))
        }.filter { $0.apiVersion == apiVersion }
    }

    /// Reads a list from a client; nil when it is not well-formed.
    public init?(sent json: JSONValue) {
        entries = []
        for element in json.array ?? [] {
            guard ["Apply", "Update"].contains(element["operation"]?.string),
                element["fieldsType"] == "FieldsV1", element["apiVersion"]?.string?.isEmpty == false,
                let fields = FieldSet(json: element["fieldsV1"] ?? [:])
            else { return nil }
            let entry = Entry(element, fields: fields)
            if let index = entries.firstIndex(where: { $0.identity == entry.identity }) {
                entries[index] = entry
            } else {
                entries.append(entry)
            }
        }
    }

    /// Whether a client's list asks to forget every owner: it is empty, or its one entry is.
    public static func isReset(_ json: JSONValue) -> Bool {
        guard let elements = json.array else { return false }
        return elements.isEmpty || elements == [[:]]
    }

    /// The form on the wire, applied entries first, then by time; nil when there are no entries.
    public var json: JSONValue? {
        guard !entries.isEmpty else { return nil }
        return .array(entries.sorted { $0.sortKey < $1.sortKey }.map(\.json))
    }
}

extension ManagedFields.Entry {
    fileprivate init(_ json: JSONValue, fields: FieldSet) {
        self.init(
            manager: json["manager"]?.string ?? "", isApplied: json["operation"] == "Apply",
            apiVersion: json["apiVersion"]?.string ?? "", subresource: json["subresource"]?.string ?? "",
            time: json["time"]?.string, fields: fields)
    }

    fileprivate var json: JSONValue {
        var object: JSONObject = [:]
        if !manager.isEmpty { object["manager"] = .string(manager) }
        object["operation"] = isApplied ? "Apply" : "Update"
        object["apiVersion"] = .string(apiVersion)
        object["time"] = time.map { .string($0) }
        object["fieldsType"] = "FieldsV1"
        object["fieldsV1"] = fields.json
        if !subresource.isEmpty { object["subresource"] = .string(subresource) }
        return .object(object)
    }

    fileprivate var sortKey: (Int, String, String, String, String) {
        (isApplied ? 0 : 1, time ?? "", manager, apiVersion, subresource)
    }

    /// What tells entries apart; who applies may change the version.
    var identity: [String] { [manager, isApplied ? "Apply" : "Update", isApplied ? "" : apiVersion, subresource] }

    /// The manager as conflicts tell it.
    var description: String {
        var text = JSONValue.string(manager).text()
        if !subresource.isEmpty { text += " with subresource \(JSONValue.string(subresource).text())" }
        return isApplied ? text : "\(text) using \(apiVersion)"
    }
}
