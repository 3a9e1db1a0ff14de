/// The text form of the schema.
///
/// A type is `Name: field type option…, field type option…`; indented lines continue the one before. A `!` behind a
/// field's name says that it is required, a `?` behind its type that an empty text, zero or false differs from none. `[T]`
/// is a list, `{T}` a map. A type of another group is preceded by the group's short name. Options: `merge` and `merge:key`
/// (merged by strategic merge patches), `retainKeys`, `keys:a+b` (the identity of elements for server-side apply), `set`,
/// and `#5` or `#2.5`, the field's number in the binary form (there, field 5 of the message in field 2).
enum SchemaTable {
    /// The texts of each group, with the group's short name and its OpenAPI package.
    private static let groups: [(name: String, package: String, texts: [String])] = [
        ("meta", "io.k8s.apimachinery.pkg.apis.meta.v1", [meta]),
        ("core", "io.k8s.api.core.v1", [volumes, pods, nodes, objects]),
        ("apps", "io.k8s.api.apps.v1", [apps]),
        ("discovery", "io.k8s.api.discovery.v1", [discovery]),
        ("coordination", "io.k8s.api.coordination.v1", [coordination]),
        ("events", "io.k8s.api.events.v1", [events]),
        ("networking", "io.k8s.api.networking.v1", [networking]),
        ("autoscaling", "io.k8s.api.autoscaling.v1", [autoscaling]),
        ("rbac", "io.k8s.api.rbac.v1", [rbac]),
        ("authentication", "io.k8s.api.authentication.v1", [authentication]),
        ("authorization", "io.k8s.api.authorization.v1", [authorization]),
        ("network", "dev.duet.network.v1alpha1", [network]),
    ]

    /// Reads all texts; types by OpenAPI name.
    static func parse() -> [String: SchemaType] {
        var parser = Parser()
        for group in groups {
            for text in group.texts { parser.collect(text, group: group.name) }
        }
        for name in parser.lines.keys.sorted() { _ = parser.type(name) }
        return Dictionary(uniqueKeysWithValues: parser.types.values.map { ($0.openAPIName, $0) })
    }

    /// Builds types on first mention; the types of the API form no cycles.
    private struct Parser {
        /// The fields' text by `group.Name`.
        var lines: [String: String] = [:]
        var types: [String: SchemaType] = [:]

        mutating func collect(_ text: String, group: String) {
            var current: String?
            for line in text.split(separator: "\n") {
                if line.first == " " {
                    if let current { lines[current, default: ""] += " " + line.drop { $0 == " " } }
                } else {
                    let name = "\(group).\(line.prefix { $0 != ":" })"
                    lines[name] = String(line.drop { $0 != ":" }.dropFirst(2))
                    current = name
                }
            }
        }

        mutating func type(_ name: String) -> SchemaType {
            if let type = types[name] { return type }
            guard let line = lines[name], let group = groups.first(where: { name.hasPrefix($0.name + ".") }) else {
                preconditionFailure("the schema names an unknown type \(name)")
            }
            var fields: [SchemaField] = []
            for text in line.split(separator: ",") { fields.append(field(text, in: group.name)) }
            let type = SchemaType(
                name: String(name.dropFirst(group.name.count + 1)), package: group.package, fields: fields)
            types[name] = type
            return type
        }

        private mutating func field(_ text: Substring, in group: String) -> SchemaField {
            let words = text.split(separator: " ")
            let options = words.dropFirst(2)
            let merge = options.first { $0.hasPrefix("merge") }
            let keys = options.first { $0.hasPrefix("keys:") }
            let number = options.first { $0.hasPrefix("#") }
            return SchemaField(
                String(words[0].prefix { $0 != "!" }), node(words[1].prefix { $0 != "?" }, in: group),
                isRequired: words[0].last == "!",
                distinguishesEmpty: words[1].last == "?",
                isMerged: merge != nil,
                retainsKeys: options.contains("retainKeys"),
                mergeKey: merge.flatMap { $0 == "merge" ? nil : String($0.dropFirst(6)) },
                listKeys: keys.map { $0.dropFirst(5).split(separator: "+").map(String.init) } ?? [],
                isSet: options.contains("set"),
                protobufPath: number?.dropFirst().split(separator: ".").compactMap { Int($0) } ?? [])
        }

        private mutating func node(_ text: Substring, in group: String) -> SchemaNode {
            switch text {
            case "string": .string
            case "bool": .boolean
            case "int32": .integer(bits: 32)
            case "int64": .integer(bits: 64)
            case "bytes": .bytes
            case "time": .time
            case "microTime": .microTime
            case "quantity": .quantity
            case "intOrString": .intOrString
            case "any": .any
            case _ where text.first == "[": .list(node(text.dropFirst().dropLast(), in: group))
            case _ where text.first == "{": .map(node(text.dropFirst().dropLast(), in: group))
            default: .object(type(text.contains(".") ? String(text) : "\(group).\(text)"))
            }
        }
    }
}
