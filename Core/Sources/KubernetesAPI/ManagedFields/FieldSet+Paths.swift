public import JSON

extension FieldSet {
    /// Reads the form on the wire; nil for anything that is no field set.
    public init?(json: JSONValue) {
        guard let object = json.object, let nodes = Self.canonical(object) else { return nil }
        self.nodes = nodes
    }

    /// The tree with every path element in the one text that this server writes.
    private static func canonical(_ object: JSONObject) -> JSONObject? {
        var result = JSONObject()
        for (element, child) in object {
            guard let text = element == Node.selfElement ? element : PathElement.canonical(element),
                let children = child.object, let below = canonical(children)
            else { return nil }
            result[text] = .object(below)
        }
        return result
    }

    /// The members as texts such as `.spec.ports[port=80,protocol="TCP"].name`: those of each level before those below.
    public var paths: [String] {
        var result: [String] = []
        Self.collect(nodes, below: "", &result)
        return result
    }

    private static func collect(_ nodes: JSONObject, below prefix: String, _ result: inout [String]) {
        var levels: [(path: String, node: Node)] = []
        for (element, child) in nodes where element != Node.selfElement {
            levels.append((prefix + PathElement.description(element), Node(child)))
        }
        levels.sort { $0.path < $1.path }
        for level in levels where level.node.isMember { result.append(level.path) }
        for level in levels { collect(level.node.children, below: level.path, &result) }
    }
}

/// The texts of path elements: `f:name`, `k:{"name":"a"}`, `v:"a"`, `i:0`.
enum PathElement {
    /// The element of a field or of a key of a map.
    static func field(_ name: String) -> String { "f:" + name }

    /// The element of a value of a set.
    static func value(_ value: JSONValue) -> String { "v:" + value.text() }

    /// The element of an element of a keyed list; nil when it lacks a key.
    static func item(_ item: JSONValue, _ keys: [ListKey]) -> String? {
        var text = "k:{"
        for (index, key) in keys.enumerated() {
            guard let value = item[key.name].map({ $0.text() }) ?? key.defaultText else { return nil }
            text += "\(index == 0 ? "" : ",")\"\(key.name)\":\(value)"
        }
        return text + "}"
    }

    /// The same element in canonical text; nil when it is none.
    static func canonical(_ element: String) -> String? {
        let content = String(element.dropFirst(2))
        switch element.prefix(2) {
        case "f:": return element
        case "i:": return Int(content).map { "i:\($0)" }
        case "v:": return (try? JSONValue(text: content)).map(value)
        case "k:":
            guard let object = (try? JSONValue(text: content))?.object, !object.isEmpty else { return nil }
            return "k:" + JSONValue.object(object).text(sortedKeys: true)
        default: return nil
        }
    }

    /// The element as it is told in conflicts.
    static func description(_ element: String) -> String {
        let content = String(element.dropFirst(2))
        switch element.prefix(2) {
        case "f:": return "." + content
        case "v:": return "[=\(content)]"
        case "k:":
            let keys = (try? JSONValue(text: content))?.object ?? [:]
            return "[" + keys.map { "\($0.key)=\($0.value.text())" }.joined(separator: ",") + "]"
        default: return "[\(content)]"
        }
    }
}
