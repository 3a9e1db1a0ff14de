package import JSON

/// A field that field selectors may name, and where its text is found.
package struct SelectableField: Sendable {
    /// The name in selectors, such as `spec.nodeName`.
    package internal(set) var name: String
    /// The paths that the text depends on.
    let paths: [[String]]
    private let extract: @Sendable (JSONValue) -> String

    /// A field found by following the name; `absent` is its text when it is not there.
    package init(_ name: String, absent: String = "") {
        let path = name.split(separator: ".").map(String.init)
        self.init(name, reading: [name]) { object in
            var value: JSONValue? = object
            for key in path {
                value = value?[key]
            }
            switch value {
            case .string(let text): return text
            case .bool(let flag): return flag ? "true" : "false"
            case .integer(let number): return String(number)
            default: return absent
            }
        }
    }

    /// A field computed from the members at the paths, such as `status.podIPs`.
    package init(_ name: String, reading paths: [String], _ extract: @escaping @Sendable (JSONValue) -> String) {
        self.name = name
        self.paths = paths.map { $0.split(separator: ".").map(String.init) }
        self.extract = extract
    }

    /// The field's text.
    package func text(in object: JSONValue) -> String { extract(object) }
}
