/// The members of a JSON object, in the order in which they were added; equality ignores the order.
@frozen
public struct JSONObject: Sendable {
    /// One member.
    public typealias Element = (key: String, value: JSONValue)

    @usableFromInline var members: [Element]
    /// Positions by key, kept only where a linear search would be slow.
    var positions: [String: Int]?

    /// The number of members up to which a linear search finds a key.
    private static let linearLimit = 16

    /// Makes an empty object.
    public init() { members = [] }

    /// The value of a key; setting nil removes the member, setting a new key appends it; O(1) on average.
    public subscript(key: String) -> JSONValue? {
        get { position(of: key).map { members[$0].value } }
        set {
            guard let newValue else {
                removeValue(forKey: key)
                return
            }
            if let position = position(of: key) {
                members[position].value = newValue
            } else {
                append(key, newValue)
            }
        }
    }

    /// Removes a member and returns its value; O(n).
    @discardableResult
    public mutating func removeValue(forKey key: String) -> JSONValue? {
        guard let position = position(of: key) else { return nil }
        let value = members.remove(at: position).value
        if positions != nil { indexMembers() }
        return value
    }

    /// Removes every member whose key is in a set; O(n).
    public mutating func removeValues(forKeys keys: Set<String>) {
        guard !keys.isEmpty else { return }
        members.removeAll { keys.contains($0.key) }
        if positions != nil { indexMembers() }
    }

    /// The keys in order.
    public var keys: [String] { members.map(\.key) }

    /// The values in order.
    public var values: [JSONValue] { members.map(\.value) }

    /// The number of members.
    @inlinable
    public var count: Int { members.count }

    /// Whether there are no members.
    @inlinable
    public var isEmpty: Bool { members.isEmpty }

    private func position(of key: String) -> Int? {
        if let positions { return positions[key] }
        return members.firstIndex { $0.key == key }
    }

    private mutating func append(_ key: String, _ value: JSONValue) {
        members.append((key, value))
        if positions != nil {
            positions?[key] = members.count - 1
        } else if members.count > JSONObject.linearLimit {
            indexMembers()
        }
    }

    private mutating func indexMembers() {
        guard members.count > JSONObject.linearLimit else {
            positions = nil
            return
        }
        positions = Dictionary(uniqueKeysWithValues: zip(members.lazy.map(\.key), members.indices))
    }
}

extension JSONObject: Sequence {
    /// Iterates over the members in order.
    @inlinable
    public func makeIterator() -> IndexingIterator<[Element]> { members.makeIterator() }

    /// The number of members.
    @inlinable
    public var underestimatedCount: Int { members.count }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Makes an object; of equal keys the last counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init()
        for (key, value) in elements { self[key] = value }
    }
}

extension JSONObject: Hashable {
    /// Whether both have the same keys with equal values, in any order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }

    /// Feeds the members so that their order does not matter.
    public func hash(into hasher: inout Hasher) {
        var sum = 0
        for (key, value) in members {
            var memberHasher = Hasher()
            memberHasher.combine(key)
            memberHasher.combine(value)
            sum ^= memberHasher.finalize()
        }
        hasher.combine(sum)
    }
}
