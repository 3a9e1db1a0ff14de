import APIServer
import JSON
import TestSupport
import Testing

@Suite("The tree of objects")
struct ObjectTreeTests {
    private let selection = ObjectSelection([])

    @Test("It shrinks to nothing and grows again, in every order", arguments: [4, 5, 6] as [UInt64])
    func growsAndShrinks(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let keys = (0..<6_000).map { ObjectKey(namespace: "n", name: String(10_000 + $0)) }
        var tree = ObjectTree()
        for order in [keys, keys.reversed(), keys.shuffled(using: &random)] {
            for key in order { tree.insert(StoredObject([:], key: key, revision: 1, written: 0, selection)) }
            let full = tree
            for (removed, key) in order.enumerated() {
                #expect(tree.remove(key)?.key == key)
                guard removed % 500 == 0 else { continue }
                let left = order[(removed + 1)...]
                #expect(tree.count == left.count)
                #expect(left.allSatisfy { tree[$0] != nil } && order[...removed].allSatisfy { tree[$0] == nil })
                var found: [ObjectKey] = []
                tree.forEach {
                    found.append($0.key)
                    return true
                }
                #expect(found == left.sorted(), "seed \(seed)")
            }
            #expect(tree.count == 0 && full.count == keys.count)
            #expect(keys.allSatisfy { full[$0] != nil })
        }
    }

    @Test(
        "It holds what a dictionary would, in order, and old copies stay as they were",
        arguments: [1, 2, 3] as [UInt64])
    func behavesLikeADictionary(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var tree = ObjectTree()
        var model: [ObjectKey: Int64] = [:]
        var copies: [(tree: ObjectTree, model: [ObjectKey: Int64])] = []
        for revision in 1...4_000 as ClosedRange<Int64> {
            let key = ObjectKey(
                namespace: "n\(random.next() % 3)", name: "o\(random.next() % 500)")
            if random.next() % 3 == 0 {
                let removed = tree.remove(key)
                #expect(removed?.revision == model.removeValue(forKey: key), "seed \(seed)")
            } else {
                let object = StoredObject([:], key: key, revision: revision, written: 0, selection)
                let replaced = tree.insert(object)
                #expect(replaced?.revision == model.updateValue(revision, forKey: key), "seed \(seed)")
            }
            if revision % 1_000 == 0 {
                copies.append((tree, model))
            }
        }
        for (tree, model) in copies {
            var found: [(ObjectKey, Int64)] = []
            tree.forEach { object in
                found.append((object.key, object.revision))
                return true
            }
            #expect(found.map(\.0) == model.keys.sorted(), "seed \(seed)")
            #expect(found.allSatisfy { model[$0.0] == $0.1 }, "seed \(seed)")
            #expect(tree.count == model.count, "seed \(seed)")
            let start = ObjectKey(namespace: "n1", name: "o250")
            var names: [ObjectKey] = []
            tree.forEach(namespace: "n1", after: start) { object in
                names.append(object.key)
                return true
            }
            #expect(names == model.keys.filter { $0.namespace == "n1" && start < $0 }.sorted(), "seed \(seed)")
        }
    }
}
