public import JSON

/// What is different between two states of an object.
public struct FieldChanges: Hashable, Sendable {
    /// Fields that are new or have another value.
    public var changed: FieldSet
    /// Fields that are gone, each with all that was below it.
    public var removed: FieldSet

    /// Compares two states; the old one is nil for a new object.
    public init(from old: JSONValue?, to new: JSONValue, _ shape: OwnershipShape) {
        var comparison = Comparison()
        comparison.changed = FieldSet.Node(isMember: false)
        comparison.removed = FieldSet.Node(isMember: false)
        if let old {
            comparison = Comparison.compare(old, new, shape)
        } else {
            comparison.changed = FieldSet.node(of: new, shape, withContainers: true)
        }
        changed = FieldSet(nodes: comparison.changed?.children ?? [:])
        removed = FieldSet(nodes: comparison.removed?.children ?? [:])
    }

    /// Whether nothing is different.
    public var isEmpty: Bool { changed.isEmpty && removed.isEmpty }
}

/// What changed at one place and below.
private struct Comparison {
    var changed: FieldSet.Node?
    var removed: FieldSet.Node?

    static func compare(_ old: JSONValue, _ new: JSONValue, _ shape: OwnershipShape) -> Comparison {
        var result = Comparison()
        switch (shape, old, new) {
        case (.object(let type), .object(let before), .object(let after)) where !(before.isEmpty && after.isEmpty):
            result.zip(before, after) { key in
                guard let field = type.fields[key] else { return (PathElement.field(key), .leaf, false) }
                return (field.element, field.shape, field.shape.isContainer && !field.isAlwaysThere)
            }
        case (.map(let shape), .object(let before), .object(let after)) where !(before.isEmpty && after.isEmpty):
            result.zip(before, after) { (PathElement.field($0), shape, true) }
        case (.keyedList(let keys, let shape), .array(let before), .array(let after)):
            guard let before = index(before, { PathElement.item($0, keys) }),
                let after = index(after, { PathElement.item($0, keys) })
            else { return leaf(old, new) }
            result.zip(before, after) { ($0, shape, true) }
        case (.set, .array(let before), .array(let after)):
            guard let before = index(before, PathElement.value), let after = index(after, PathElement.value) else {
                return leaf(old, new)
            }
            result.zip(before, after) { ($0, .leaf, true) }
        default: return leaf(old, new)
        }
        return result
    }

    private static func leaf(_ old: JSONValue, _ new: JSONValue) -> Comparison {
        Comparison(changed: old == new ? nil : FieldSet.Node(isMember: true))
    }

    /// The elements by path element; of several with the same key the first counts.
    private static func index(_ elements: [JSONValue], _ name: (JSONValue) -> String?) -> JSONObject? {
        var result = JSONObject()
        for element in elements {
            guard let text = name(element) else { return nil }
            if result[text] == nil { result[text] = element }
        }
        return result
    }

    /// - Parameter place: The path element of a key, its shape, and whether a new one is a member besides what is below.
    private mutating func zip(
        _ before: JSONObject, _ after: JSONObject,
        _ place: (String) -> (element: String, shape: OwnershipShape, isMember: Bool)
    ) {
        var changes = JSONObject()
        var removals = JSONObject()
        for (key, old) in before {
            let place = place(key)
            guard let new = after[key] else {
                removals[place.element] = [:]
                continue
            }
            let below = Self.compare(old, new, place.shape)
            if let node = below.changed?.json { changes[place.element] = node }
            if let node = below.removed?.json { removals[place.element] = node }
        }
        for (key, new) in after where before[key] == nil {
            let place = place(key)
            guard var node = FieldSet.node(of: new, place.shape, withContainers: true) else { continue }
            if place.isMember { node.isMember = true }
            changes[place.element] = node.json
        }
        changed = FieldSet.Node(isMember: false, children: changes)
        removed = FieldSet.Node(isMember: false, children: removals)
    }
}
