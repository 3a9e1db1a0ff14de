/// The objects of one resource in the order of their keys, as a value.
///
/// A copy costs nothing; a change to a shared tree copies one chunk and the list of chunks (one word per 32 objects or more).
/// Look-ups and changes take O(log n) comparisons.
package struct ObjectTree: Sendable {
    private var chunks: [[StoredObject]] = []
    /// Number of objects.
    package private(set) var count = 0

    private static let capacity = 64

    /// An empty tree.
    package init() {}

    /// The object with the key, or nil.
    package subscript(key: ObjectKey) -> StoredObject? {
        guard let chunk = chunkIndex(for: key) else { return nil }
        let index = Self.lowerBound(chunks[chunk], key)
        guard index < chunks[chunk].count, chunks[chunk][index].key == key else { return nil }
        return chunks[chunk][index]
    }

    /// Adds an object or puts it in the place of the one with its key, which is returned.
    @discardableResult
    package mutating func insert(_ object: StoredObject) -> StoredObject? {
        guard let chunk = chunkIndex(for: object.key) else {
            chunks.append([object])
            count = 1
            return nil
        }
        let index = Self.lowerBound(chunks[chunk], object.key)
        if index < chunks[chunk].count, chunks[chunk][index].key == object.key {
            let previous = chunks[chunk][index]
            chunks[chunk][index] = object
            return previous
        }
        chunks[chunk].insert(object, at: index)
        count += 1
        if chunks[chunk].count > Self.capacity {
            let half = chunks[chunk].count / 2
            let upper = Array(chunks[chunk][half...])
            chunks[chunk].removeSubrange(half...)
            chunks.insert(upper, at: chunk + 1)
        }
        return nil
    }

    /// Removes the object with the key, if there is one, and returns it.
    @discardableResult
    package mutating func remove(_ key: ObjectKey) -> StoredObject? {
        guard let chunk = chunkIndex(for: key) else { return nil }
        let index = Self.lowerBound(chunks[chunk], key)
        guard index < chunks[chunk].count, chunks[chunk][index].key == key else { return nil }
        let removed = chunks[chunk].remove(at: index)
        count -= 1
        if chunks[chunk].isEmpty {
            chunks.remove(at: chunk)
        }
        return removed
    }

    /// Calls `body` with the objects in order, from the first after `start` (or the first of all) on, while it returns true.
    ///
    /// - Parameter namespace: Only the objects of this namespace.
    package func forEach(
        namespace: String? = nil, after start: ObjectKey? = nil, _ body: (StoredObject) -> Bool
    ) {
        let first = max(start ?? ObjectKey(name: ""), ObjectKey(namespace: namespace ?? "", name: ""))
        guard var chunk = chunkIndex(for: first) else { return }
        var index = Self.lowerBound(chunks[chunk], first)
        while chunk < chunks.count {
            while index < chunks[chunk].count {
                let object = chunks[chunk][index]
                if let namespace, object.key.namespace != namespace { return }
                if object.key != start, !body(object) { return }
                index += 1
            }
            chunk += 1
            index = 0
        }
    }

    /// The last chunk whose first key is not above the key, or the first; nil only when there is none.
    private func chunkIndex(for key: ObjectKey) -> Int? {
        guard !chunks.isEmpty else { return nil }
        var (low, high) = (0, chunks.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if key < chunks[middle][0].key {
                high = middle
            } else {
                low = middle
            }
        }
        return low
    }

    private static func lowerBound(_ chunk: [StoredObject], _ key: ObjectKey) -> Int {
        var (low, high) = (0, chunk.count)
        while low < high {
            let middle = (low + high) / 2
            if chunk[middle].key < key {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}
