/// The objects of one resource in the order of their keys, as a value.
///
/// A B+ tree with leaves of up to 64 objects and branches of up to 32 parts. A copy costs nothing; a change to a shared tree
/// copies the nodes on the way to the object, so that a write costs the same among a hundred objects and a million. Look-ups
/// and changes take O(log n) comparisons.
package struct ObjectTree: Sendable {
    private var root = Node.objects([])
    /// Number of objects.
    package private(set) var count = 0

    /// An empty tree.
    package init() {}

    /// The object with the key, or nil.
    package subscript(key: ObjectKey) -> StoredObject? { root[key] }

    /// Adds an object or puts it in the place of the one with its key, which is returned.
    @discardableResult
    package mutating func insert(_ object: StoredObject) -> StoredObject? {
        let (previous, upper) = root.insert(object)
        if previous == nil { count += 1 }
        if let upper { root = .parts([Part(root), upper]) }
        return previous
    }

    /// Removes the object with the key, if there is one, and returns it.
    @discardableResult
    package mutating func remove(_ key: ObjectKey) -> StoredObject? {
        guard let removed = root.remove(key) else { return nil }
        count -= 1
        if case .parts(let parts) = root, parts.count < 2 { root = parts.first?.node ?? .objects([]) }
        return removed
    }

    /// Calls `body` with the objects in order, from the first after `start` (or the first of all) on, while it returns true.
    ///
    /// - Parameter namespace: Only the objects of this namespace.
    package func forEach(
        namespace: String? = nil, after start: ObjectKey? = nil, _ body: (StoredObject) -> Bool
    ) {
        let first = max(start ?? ObjectKey(name: ""), ObjectKey(namespace: namespace ?? "", name: ""))
        _ = root.forEach(from: first) { object in
            if let namespace, object.key.namespace != namespace { return false }
            return object.key == start || body(object)
        }
    }

    /// A part of a branch: a node that is not empty, and its first object, by whose key it is found.
    fileprivate struct Part: Sendable {
        var first: StoredObject
        var node: Node

        init(_ node: Node) {
            first = node.first
            self.node = node
        }
    }

    /// Objects or parts in order; all objects are as many levels below the root.
    fileprivate enum Node: Sendable {
        case objects([StoredObject])
        case parts([Part])
    }
}

extension ObjectTree.Node {
    private static let maximumObjects = 64
    private static let maximumParts = 32

    /// The first object of a node that has one.
    var first: StoredObject {
        switch self {
        case .objects(let objects): objects[0]
        case .parts(let parts): parts[0].first
        }
    }

    subscript(key: ObjectKey) -> StoredObject? {
        switch self {
        case .objects(let objects):
            let index = objects.firstIndex(notBelow: key)
            return index < objects.count && objects[index].key == key ? objects[index] : nil
        case .parts(let parts):
            return parts[parts.index(for: key)].node[key]
        }
    }

    /// Adds or replaces an object; the upper half becomes a part of its own when the node grew too large.
    mutating func insert(_ object: StoredObject) -> (previous: StoredObject?, upper: ObjectTree.Part?) {
        // While a node is changed the array must not be held by the enumeration as well, or it would be copied each time.
        switch self {
        case .objects(var objects):
            self = .objects([])
            let index = objects.firstIndex(notBelow: object.key)
            if index < objects.count, objects[index].key == object.key {
                let previous = objects[index]
                objects[index] = object
                self = .objects(objects)
                return (previous, nil)
            }
            objects.insert(object, at: index)
            let upper = objects.splitOff(above: Self.maximumObjects).map { ObjectTree.Part(.objects($0)) }
            self = .objects(objects)
            return (nil, upper)
        case .parts(var parts):
            self = .objects([])
            let index = parts.index(for: object.key)
            let (previous, upper) = parts[index].node.insert(object)
            parts[index].first = parts[index].node.first
            var half: ObjectTree.Part?
            if let upper {
                parts.insert(upper, at: index + 1)
                half = parts.splitOff(above: Self.maximumParts).map { ObjectTree.Part(.parts($0)) }
            }
            self = .parts(parts)
            return (previous, half)
        }
    }

    mutating func remove(_ key: ObjectKey) -> StoredObject? {
        switch self {
        case .objects(var objects):
            let index = objects.firstIndex(notBelow: key)
            guard index < objects.count, objects[index].key == key else { return nil }
            self = .objects([])
            let removed = objects.remove(at: index)
            self = .objects(objects)
            return removed
        case .parts(var parts):
            self = .objects([])
            let index = parts.index(for: key)
            let removed = parts[index].node.remove(key)
            if removed != nil { Self.tidy(&parts, at: index) }
            self = .parts(parts)
            return removed
        }
    }

    /// Calls `body` with the objects whose keys are not below `first`, while it returns true; returns whether it always did.
    func forEach(from first: ObjectKey, _ body: (StoredObject) -> Bool) -> Bool {
        switch self {
        case .objects(let objects): objects[objects.firstIndex(notBelow: first)...].allSatisfy(body)
        case .parts(let parts): parts[parts.index(for: first)...].allSatisfy { $0.node.forEach(from: first, body) }
        }
    }

    /// Joins a part out of which something was removed with its neighbour where both are small.
    private static func tidy(_ parts: inout [ObjectTree.Part], at index: Int) {
        if parts[index].node.isEmpty {
            parts.remove(at: index)
            return
        }
        parts[index].first = parts[index].node.first
        let lower = index > 0 ? index - 1 : index
        guard parts[index].node.isSmall, lower + 1 < parts.count,
            parts[lower].node.isSmall, parts[lower + 1].node.isSmall
        else { return }
        parts[lower].node.append(parts.remove(at: lower + 1).node)
    }

    private var isEmpty: Bool {
        switch self {
        case .objects(let objects): objects.isEmpty
        case .parts(let parts): parts.isEmpty
        }
    }

    /// True when another small node of its level fits in with room to spare.
    private var isSmall: Bool {
        switch self {
        case .objects(let objects): objects.count <= Self.maximumObjects / 3
        case .parts(let parts): parts.count <= Self.maximumParts / 3
        }
    }

    /// Takes in what its neighbour of the same level holds.
    private mutating func append(_ upper: Self) {
        switch (self, upper) {
        case (.objects(let objects), .objects(let more)): self = .objects(objects + more)
        case (.parts(let parts), .parts(let more)): self = .parts(parts + more)
        default: preconditionFailure("nodes of two levels side by side")
        }
    }
}

extension [StoredObject] {
    /// The position of the first object whose key is not below the key.
    fileprivate func firstIndex(notBelow key: ObjectKey) -> Int {
        partition { $0.key < key }
    }
}

extension [ObjectTree.Part] {
    /// The last part whose first key is not above the key, or the first part.
    fileprivate func index(for key: ObjectKey) -> Int {
        Swift.max(partition { !(key < $0.first.key) } - 1, 0)
    }
}

extension Array {
    /// The position of the first element for which `isBelow`, which holds for none after it, does not hold.
    fileprivate func partition(_ isBelow: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBelow(self[middle]) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// Removes and returns the upper half when there are more than `limit` elements.
    fileprivate mutating func splitOff(above limit: Int) -> [Element]? {
        guard count > limit else { return nil }
        let upper = Array(self[(count / 2)...])
        removeSubrange((count / 2)...)
        return upper
    }
}
