import JSON
import KubernetesAPI
import TestSupport

/// Makes random values of a type.
struct SchemaValueGenerator {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func value(of node: SchemaNode, depth: Int) -> JSONValue {
        switch node {
        case .string: return .string(text())
        case .boolean: return .bool(.random(using: &generator))
        case .integer(let bits):
            return .integer(bits == 32 ? Int64(Int32.random(in: .min ... .max, using: &generator)) : number())
        case .bytes: return .string(Base64.encode(Array(text().utf8)))
        case .time: return .string(Timestamp(seconds: .random(in: 1...4_000_000_000, using: &generator)).description)
        case .microTime:
            let micros = Int32.random(in: 0..<1_000_000, using: &generator)
            return .string(Timestamp(seconds: 1_700_000_000, nanoseconds: micros * 1000).microText)
        case .quantity: return .string("\(Int.random(in: 0...500, using: &generator))Mi")
        case .intOrString: return Bool.random(using: &generator) ? .string(text()) : .integer(8080)
        case .any: return ["f:spec": [:]]
        case .list(let element):
            // Messages have no empty lists.
            return .array((0..<Int.random(in: 1...3, using: &generator)).map { _ in value(of: element, depth: depth) })
        case .map(let element):
            var members = JSONObject()
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                members["k" + text()] = value(of: element, depth: depth)
            }
            return .object(members)
        case .object(let type):
            var members = JSONObject()
            // The deeper, the sparser, so that pods stay small.
            for field in type.fields where Int.random(in: 0...depth, using: &generator) == 0 {
                members[field.name] = value(of: field.node, depth: depth + 1)
            }
            return .object(members)
        }
    }

    private mutating func text() -> String {
        ["", "a", "web", "grüße", "a b", "0"][Int.random(in: 0..<6, using: &generator)]
    }

    private mutating func number() -> Int64 {
        [0, 1, -1, Int64.max, Int64.min, 300][Int.random(in: 0..<6, using: &generator)]
    }
}
