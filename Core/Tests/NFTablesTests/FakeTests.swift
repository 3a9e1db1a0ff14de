import Linux
import NFTables
import TestSupport
import Testing

@Suite("The rule set in memory")
struct FakeTests {
    private let table = Table(family: .ip, name: "t")

    private func operation(_ generator: inout SeededGenerator) -> Transaction.Operation {
        let chain = ["a", "b", "c"].randomElement(using: &generator) ?? "a"
        let set = ["map", "plain"].randomElement(using: &generator) ?? "map"
        let key = Key(port: UInt16.random(in: 1...3, using: &generator))
        let verdict = Verdict.goto(["a", "b", "c"].randomElement(using: &generator) ?? "a")
        let element = Element(key, set == "map" ? .verdict(verdict) : .none)
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: return .addTable(table)
        case 1: return Int.random(in: 0..<6, using: &generator) == 0 ? .deleteTable(table) : .addTable(table)
        case 2, 3: return .addChain(Chain(table: table, name: chain))
        case 4: return .deleteChain(table, chain)
        case 5: return .flushChain(table, chain)
        case 6:
            return .addRule(
                Rule(
                    table: table, chain: chain,
                    [.payload(.transport, offset: 2, length: 2, Register(0)), .verdictMap("map", Register(0))]))
        case 7: return .addRule(Rule(table: table, chain: chain, comment: "counts", [.counter]))
        case 8:
            return .addSet(
                NamedSet(table: table, name: set, key: [.port], value: set == "map" ? .verdict : .none))
        case 9: return .deleteSet(table, set)
        case 10: return .addElements(table, set: set, [element])
        default: return .deleteElements(table, set: set, [Element(key)])
        }
    }

    @Test(
        "Random transactions end as in the kernel: taken or refused for the same reason, with the same content",
        arguments: [11, 12, 13] as [UInt64])
    func oracle(seed: UInt64) throws {
        try Sandbox.with("fake\(seed)") { _, socket in
            var generator = SeededGenerator(seed: seed)
            var fake = NFTablesFake()
            var taken = 0
            for step in 0..<400 {
                var transaction = Transaction()
                for _ in 0..<Int.random(in: 1...3, using: &generator) {
                    transaction.append(operation(&generator))
                }
                let real = Self.outcome { () throws(NFTablesError) in try socket.commit(transaction) }
                let ours = Self.outcome { () throws(NFTablesError) in try fake.commit(transaction) }
                #expect(real == ours, "seed \(seed), step \(step):\n\(transaction)")
                guard real == ours else { return }
                if real == nil { taken += 1 }
                let kernel = try Self.content(&socket, table)
                let memory = try Self.content(&fake, table)
                #expect(kernel == memory, "seed \(seed), step \(step)")
            }
            #expect(taken > 50)
        }
    }

    private static func outcome(_ body: () throws(NFTablesError) -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return "\(error.errno) at \(error.index.map(String.init) ?? "-")"
        }
    }

    private static func content(
        _ connection: inout some NFTablesConnection & ~Copyable, _ table: Table
    ) throws(NFTablesError) -> [String] {
        var lines = try connection.chains(of: table).map(\.description)
        for rule in try connection.rules(of: table, chain: nil) {
            lines.append("\(rule.chain) \(rule.expressions) \(rule.comment ?? "")")
        }
        for set in try connection.sets(of: table) {
            lines.append(set.description)
            for element in try connection.elements(of: table, set: set.name) { lines.append("\(set.name) \(element)") }
        }
        return lines.sorted()
    }
}
