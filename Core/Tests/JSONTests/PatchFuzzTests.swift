import JSON
import TestSupport
import Testing

/// Random documents and random patches, each from a seed that a failure names.
@Suite struct PatchFuzzTests {
    private static let keys = ["a", "b", "c", "a/b", "~", ""]

    private static func document(_ generator: inout SeededGenerator, depth: Int = 4) -> JSONValue {
        switch Int.random(in: 0..<(depth == 0 ? 5 : 9), using: &generator) {
        case 0: return nil
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .integer(Int64.random(in: -3...3, using: &generator))
        case 3: return .double(Double.random(in: -1...1, using: &generator))
        case 4: return .string(keys.randomElement(using: &generator) ?? "")
        case 5: return .array((0..<3).map { _ in document(&generator, depth: depth - 1) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                object[keys.randomElement(using: &generator) ?? ""] = document(&generator, depth: depth - 1)
            }
            return .object(object)
        }
    }

    /// What a merge patch comes to, told by paths instead of by recursion into both documents (RFC 7396).
    private static func merged(_ document: JSONValue, _ patch: JSONValue) -> JSONValue {
        guard patch.object != nil else { return patch }
        var result = document.object == nil ? [:] : document
        var pending: [(path: [String], changes: JSONObject)] = [([], patch.object ?? [:])]
        while let (path, changes) = pending.popLast() {
            for (key, change) in changes {
                let pointer = JSONPointer(tokens: path + [key])
                let present = result[pointer]
                let operation: JSONPatch.Operation
                if change.isNull {
                    guard present != nil else { continue }
                    operation = .remove(pointer)
                } else if let object = change.object {
                    pending.append((path + [key], object))
                    if present?.object != nil { continue }
                    operation = .add(pointer, [:])
                } else {
                    operation = .add(pointer, change)
                }
                do { try JSONPatch(operations: [operation]).apply(to: &result) } catch { Issue.record("\(error)") }
            }
        }
        return result
    }

    @Test func `a merge patch does what its paths say`() {
        for seed in 0..<3_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let document = Self.document(&generator)
            let patch = Self.document(&generator)
            var result = document
            result.mergePatch(patch)
            #expect(result == Self.merged(document, patch), "seed \(seed)")
            let once = result
            result.mergePatch(patch)
            #expect(result == once, "seed \(seed): the same patch again changes nothing")
        }
    }

    @Test func `a JSON patch applies as a whole or not at all`() throws {
        var applied = 0
        for seed in 0..<3_000 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let document = Self.document(&generator)
            func path() -> JSONValue {
                let tokens = (0..<Int.random(in: 0...3, using: &generator)).map { _ in
                    (Self.keys + ["0", "1", "-"]).randomElement(using: &generator) ?? ""
                }
                return .string(JSONPointer(tokens: tokens).description)
            }
            let names = ["add", "remove", "replace", "move", "copy", "test", "jump"]
            let operations = (0..<Int.random(in: 1...4, using: &generator)).map { _ -> JSONValue in
                [
                    "op": .string(names.randomElement(using: &generator) ?? ""), "path": path(), "from": path(),
                    "value": Self.document(&generator, depth: 1),
                ]
            }
            guard let patch = try? JSONPatch(.array(operations)) else { continue }
            var result = document
            do {
                try patch.apply(to: &result)
                applied += 1
            } catch {
                #expect(result == document, "seed \(seed)")
                continue
            }
            // One operation after the other comes to the same.
            var stepwise = document
            for operation in patch.operations { try JSONPatch(operations: [operation]).apply(to: &stepwise) }
            #expect(stepwise == result, "seed \(seed)")
        }
        #expect(applied > 100, "Most patches must not be nonsense")
    }

    @Test(.timeLimit(.minutes(5)))
    func `a short patch cannot make a document grow without end`() throws {
        let doubling = (0..<100).map {
            JSONPatch.Operation.copy(from: JSONPointer(tokens: []), path: JSONPointer(tokens: ["x\($0)"]))
        }
        let long = JSONValue.array(Array(repeating: 0, count: 200_000))
        let shifting = Array(repeating: JSONPatch.Operation.add(JSONPointer(tokens: ["a", "0"]), 1), count: 10_000)
        let depth = (1...600).map {
            JSONPatch.Operation.add(JSONPointer(tokens: Array(repeating: "a", count: $0)), [:])
        }
        let documents: [JSONValue] = [["a": "1"], ["a": long], [:]]
        for (document, operations) in zip(documents, [doubling, shifting, depth]) {
            var document = document
            let error = #expect(throws: JSONPatchError.self) {
                try JSONPatch(operations: operations).apply(to: &document)
            }
            #expect(error?.code == .tooCostly)
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func `a patch of many members takes time in proportion`() {
        var document: JSONObject = [:]
        var removals: JSONObject = [:]
        for index in 0..<50_000 {
            document["k\(index)"] = 1
            removals["k\(index)"] = .null
        }
        var value = JSONValue.object(document)
        value.mergePatch(.object(removals))
        #expect(value == [:])
    }
}
