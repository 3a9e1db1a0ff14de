public import JSON

/// A list of an object to be applied that does not say which elements it means.
public struct OwnershipError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where and what, in the words of Kubernetes.
    public let description: String
}

extension FieldSet {
    /// The fields that a value gives.
    ///
    /// - Parameter withContainers: Maps and lists are members besides what they hold, as for a value that is new.
    public init(of value: JSONValue, _ shape: OwnershipShape, withContainers: Bool = false) {
        nodes = Self.node(of: value, shape, withContainers: withContainers)?.children ?? [:]
    }

    /// The fields of a configuration that is applied.
    ///
    /// - Throws: `OwnershipError` for a list with elements that have no key or the same key.
    public init(applied value: JSONValue, _ shape: OwnershipShape) throws(OwnershipError) {
        try Self.check(value, shape, path: "")
        self.init(of: value, shape)
    }

    /// The place of a value; nil for a list without elements.
    static func node(of value: JSONValue, _ shape: OwnershipShape, withContainers: Bool) -> Node? {
        var node = Node(isMember: false)
        switch (shape, value) {
        case (.object(let type), .object(let members)) where !members.isEmpty:
            for (key, member) in members {
                guard let field = type.fields[key] else {
                    node.children[PathElement.field(key)] = [:]
                    continue
                }
                guard var child = Self.node(of: member, field.shape, withContainers: withContainers) else { continue }
                if withContainers, field.shape.isContainer, !field.isAlwaysThere { child.isMember = true }
                node.children[field.element] = child.json
            }
        case (.map(let shape), .object(let members)) where !members.isEmpty:
            for (key, member) in members {
                var child = Self.node(of: member, shape, withContainers: withContainers) ?? Node(isMember: true)
                child.isMember = true
                node.children[PathElement.field(key)] = child.json
            }
        case (.keyedList(let keys, let shape), .array(let elements)):
            for element in elements {
                guard let text = PathElement.item(element, keys) else { return Node(isMember: true) }
                var child = Self.node(of: element, shape, withContainers: withContainers) ?? Node(isMember: true)
                child.isMember = true
                node.children[text] = child.json
            }
            if elements.isEmpty { return withContainers ? Node(isMember: true) : nil }
        case (.set, .array(let elements)):
            for element in elements { node.children[PathElement.value(element)] = [:] }
            if elements.isEmpty { return withContainers ? Node(isMember: true) : nil }
        default: return Node(isMember: true)
        }
        return node
    }

    private static func check(
        _ value: JSONValue, _ shape: OwnershipShape, path: String
    ) throws(OwnershipError) {
        switch (shape, value) {
        case (.object(let type), .object(let members)):
            for (key, member) in members {
                guard let field = type.fields[key] else { continue }
                try check(member, field.shape, path: "\(path).\(key)")
            }
        case (.map(let shape), .object(let members)):
            for (key, member) in members { try check(member, shape, path: "\(path).\(key)") }
        case (.keyedList(let keys, let shape), .array(let elements)):
            var seen: Set<String> = []
            for (index, element) in elements.enumerated() {
                guard let text = PathElement.item(element, keys) else {
                    let missing = keys.first { element[$0.name] == nil && $0.defaultText == nil }?.name ?? ""
                    throw OwnershipError(
                        description: "\(path): element \(index): associative list with keys has an element that omits "
                            + "key field \"\(missing)\" (and doesn't have default value)")
                }
                try refuseRepeated(text, &seen, path)
                try check(element, shape, path: path + PathElement.description(text))
            }
        case (.set, .array(let elements)):
            var seen: Set<String> = []
            for element in elements { try refuseRepeated(PathElement.value(element), &seen, path) }
        default: break
        }
    }

    private static func refuseRepeated(
        _ element: String, _ seen: inout Set<String>, _ path: String
    ) throws(OwnershipError) {
        guard seen.insert(element).inserted else {
            throw OwnershipError(
                description: "\(path): duplicate entries for key \(PathElement.description(element))")
        }
    }

    /// The set with every object of fields that holds a member as a member itself.
    func withObjects(_ shape: OwnershipShape) -> FieldSet {
        FieldSet(nodes: Self.withObjects(nodes, shape))
    }

    private static func withObjects(_ nodes: JSONObject, _ shape: OwnershipShape) -> JSONObject {
        var result = JSONObject()
        for (element, child) in nodes {
            var node = Node(child)
            switch shape {
            case .object(let type):
                let field = type.fields[String(element.dropFirst(2))]
                node.children = withObjects(node.children, field?.shape ?? .leaf)
                node.isMember = node.isMember || field != nil
            case .map(let shape), .keyedList(_, let shape): node.children = withObjects(node.children, shape)
            case .leaf, .set: break
            }
            result[element] = node.json
        }
        return result
    }
}
