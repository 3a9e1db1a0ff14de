import JSON

extension OwnershipShape {
    /// The live value with what a configuration says; lists take the configuration's order where it has a word on it.
    func merge(_ config: JSONValue, into live: JSONValue) -> JSONValue {
        switch (self, live, config) {
        case (.object(let type), .object(let members), .object(let changes))
        where !(members.isEmpty && changes.isEmpty):
            var result = members
            for (key, change) in changes {
                let shape = type.fields[key]?.shape ?? .leaf
                result[key] = members[key].map { shape.merge(change, into: $0) } ?? change
            }
            return .object(result)
        case (.map(let shape), .object(let members), .object(let changes)):
            var result = members
            for (key, change) in changes {
                result[key] = members[key].map { shape.merge(change, into: $0) } ?? change
            }
            return .object(result)
        case (.keyedList(let keys, let shape), .array(let elements), .array(let changes)):
            return Self.mergeList(changes, into: elements, shape) { PathElement.item($0, keys) } ?? config
        case (.set, .array(let elements), .array(let changes)):
            return Self.mergeList(changes, into: elements, .leaf, PathElement.value) ?? config
        default: return config
        }
    }

    /// Merges element by element; nil when an element has no name.
    ///
    /// Elements of the configuration come in its order. The others keep theirs, each before the next element that both
    /// have in common.
    private static func mergeList(
        _ changes: [JSONValue], into live: [JSONValue], _ shape: OwnershipShape, _ name: (JSONValue) -> String?
    ) -> JSONValue? {
        let liveNames = live.compactMap(name)
        let names = changes.compactMap(name)
        guard liveNames.count == live.count, names.count == changes.count else { return nil }
        let positions = Dictionary(zip(liveNames, live.indices), uniquingKeysWith: { first, _ in first })
        let configured = Set(names)
        var shared = names.compactMap { positions[$0] }[...]
        var result: [JSONValue] = []
        var next = 0
        for (name, change) in zip(names, changes) {
            while next < live.count, next != shared.first {
                if !configured.contains(liveNames[next]) { result.append(live[next]) }
                next += 1
            }
            guard let position = positions[name] else {
                result.append(change)
                continue
            }
            result.append(shape.merge(change, into: live[position]))
            shared.removeFirst()
            if next == position { next += 1 }
        }
        for index in live.indices.dropFirst(next) where !configured.contains(liveNames[index]) {
            result.append(live[index])
        }
        return .array(result)
    }

    /// The value without the members of a set, each with all that is below it; nil when nothing is left.
    ///
    /// - Parameter marksEmptied: An object that loses all that it holds, and is no member itself, stays as null.
    func remove(_ nodes: JSONObject, from value: JSONValue, marksEmptied: Bool = false) -> JSONValue? {
        if nodes.isEmpty { return value }
        switch (self, value) {
        case (.object(let type), .object(let members)):
            return Self.removeMembers(nodes, from: members, marksEmptied) { type.fields[$0]?.shape ?? .leaf }
        case (.map(let shape), .object(let members)):
            return Self.removeMembers(nodes, from: members, marksEmptied) { _ in shape }
        case (.keyedList(let keys, let shape), .array(let elements)):
            return Self.removeElements(nodes, from: elements, shape, marksEmptied) { PathElement.item($0, keys) }
        case (.set, .array(let elements)):
            return Self.removeElements(nodes, from: elements, .leaf, marksEmptied, PathElement.value)
        default: return value
        }
    }

    private static func removeMembers(
        _ nodes: JSONObject, from members: JSONObject, _ marksEmptied: Bool, _ shape: (String) -> OwnershipShape
    ) -> JSONValue? {
        var result = JSONObject()
        for (key, member) in members {
            let node = nodes[PathElement.field(key)].map(FieldSet.Node.init)
            if let rest = removed(node, from: member, shape(key), marksEmptied) {
                result[key] = rest
            } else if marksEmptied, node?.isMember == false {
                result[key] = .null
            }
        }
        return result.isEmpty ? nil : .object(result)
    }

    private static func removeElements(
        _ nodes: JSONObject, from elements: [JSONValue], _ shape: OwnershipShape, _ marksEmptied: Bool,
        _ name: (JSONValue) -> String?
    ) -> JSONValue? {
        let result = elements.compactMap { element in
            removed(name(element).flatMap { nodes[$0] }.map(FieldSet.Node.init), from: element, shape, marksEmptied)
        }
        return result.isEmpty ? nil : .array(result)
    }

    private static func removed(
        _ node: FieldSet.Node?, from value: JSONValue, _ shape: OwnershipShape, _ marksEmptied: Bool
    ) -> JSONValue? {
        guard let node else { return value }
        return node.isMember ? nil : shape.remove(node.children, from: value, marksEmptied: marksEmptied)
    }
}
