public import JSON

/// A set of fields of an object.
///
/// It is held in its form on the wire, `FieldsV1`: a tree of path elements, in which an empty node is a member, and a node
/// with children is a member too if it has the child `.`.
public struct FieldSet: Hashable, Sendable {
    /// The nodes below the object, by path element.
    var nodes: JSONObject

    /// Makes an empty set.
    public init() { nodes = [:] }

    init(nodes: JSONObject) { self.nodes = nodes }

    /// The form on the wire.
    public var json: JSONValue { .object(nodes) }

    /// Whether the set has no member.
    public var isEmpty: Bool { nodes.isEmpty }

    /// The members of either set.
    public func union(_ other: FieldSet) -> FieldSet { FieldSet(nodes: Node.union(nodes, other.nodes)) }

    /// The members of both sets.
    public func intersection(_ other: FieldSet) -> FieldSet {
        FieldSet(nodes: Node.intersection(nodes, other.nodes))
    }

    /// The members that the other set lacks.
    public func subtracting(_ other: FieldSet) -> FieldSet {
        FieldSet(nodes: Node.difference(nodes, other.nodes, withBelow: false))
    }

    /// The members that are neither in the other set nor below a member of it.
    public func subtractingAll(below other: FieldSet) -> FieldSet {
        FieldSet(nodes: Node.difference(nodes, other.nodes, withBelow: true))
    }

    /// One place of the tree.
    struct Node {
        static let selfElement = "."

        /// Whether the place itself belongs to the set.
        var isMember: Bool
        var children: JSONObject

        init(isMember: Bool, children: JSONObject = [:]) {
            self.isMember = isMember
            self.children = children
        }

        init(_ json: JSONValue) {
            var children = json.object ?? [:]
            let hasSelf = children.removeValue(forKey: Self.selfElement) != nil
            isMember = hasSelf || children.isEmpty
            self.children = children
        }

        /// The form on the wire; nil where nothing is.
        var json: JSONValue? {
            guard !children.isEmpty else { return isMember ? [:] : nil }
            guard isMember else { return .object(children) }
            var object: JSONObject = [Self.selfElement: [:]]
            for (element, child) in children { object[element] = child }
            return .object(object)
        }

        static func union(_ left: JSONObject, _ right: JSONObject) -> JSONObject {
            if left.isEmpty { return right }
            var result = left
            for (element, other) in right {
                guard let own = result[element] else {
                    result[element] = other
                    continue
                }
                if own == other { continue }
                let (first, second) = (Node(own), Node(other))
                result[element] =
                    Node(
                        isMember: first.isMember || second.isMember,
                        children: union(first.children, second.children)
                    ).json
            }
            return result
        }

        static func intersection(_ left: JSONObject, _ right: JSONObject) -> JSONObject {
            var result = JSONObject()
            for (element, own) in left {
                guard let other = right[element] else { continue }
                let (first, second) = (Node(own), Node(other))
                result[element] =
                    Node(
                        isMember: first.isMember && second.isMember,
                        children: intersection(first.children, second.children)
                    ).json
            }
            return result
        }

        /// - Parameter withBelow: What is below a member of `right` goes along with it.
        static func difference(_ left: JSONObject, _ right: JSONObject, withBelow: Bool) -> JSONObject {
            if right.isEmpty { return left }
            var result = JSONObject()
            for (element, own) in left {
                guard let other = right[element] else {
                    result[element] = own
                    continue
                }
                let (first, second) = (Node(own), Node(other))
                if withBelow, second.isMember { continue }
                result[element] =
                    Node(
                        isMember: first.isMember && !second.isMember,
                        children: difference(first.children, second.children, withBelow: withBelow)
                    ).json
            }
            return result
        }
    }
}

extension FieldSet {
    /// Takes out a field and all that is below it, such as `["spec", "ports", "*", "nodePort"]` of each port.
    ///
    /// - Parameter other: What has a place in this set stays.
    public mutating func drop(_ path: [String], unlessIn other: FieldSet = FieldSet()) {
        Self.drop(path[...], from: &nodes, unlessIn: other.nodes)
    }

    private static func drop(_ path: ArraySlice<String>, from nodes: inout JSONObject, unlessIn other: JSONObject) {
        guard let name = path.first else { return }
        for element in name == "*" ? nodes.keys : [PathElement.field(name)] {
            guard var node = nodes[element].map(Node.init) else { continue }
            let kept = other[element]
            if path.count > 1 {
                drop(path.dropFirst(), from: &node.children, unlessIn: kept?.object ?? [:])
                nodes[element] = node.json
            } else if kept == nil {
                nodes[element] = nil
            }
        }
    }
}
