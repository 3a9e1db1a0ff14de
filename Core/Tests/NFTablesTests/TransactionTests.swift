import Addresses
import Linux
import NFTables
import Testing

@Suite("Transactions in the kernel")
struct TransactionTests {
    private let table = Table(family: .ip, name: "t")

    @Test("A refusal names the change, and nothing was done")
    func refusal() throws {
        try Sandbox.with("refuse") { _, socket in
            let transaction = Transaction([
                .addTable(table), .addChain(Chain(table: table, name: "a")),
                .addRule(Rule(table: table, chain: "missing", [.counter])),
                .addChain(Chain(table: table, name: "b")),
            ])
            let error = #expect(throws: NFTablesError.self) { try socket.commit(transaction) }
            #expect(error?.errno == .noEntry && error?.index == 2)
            #expect(
                error?.description.hasPrefix("nftables: add rule ip t missing [ counter ]: No such file or directory")
                    == true)
            let tables = try socket.tables()
            #expect(tables.isEmpty)
        }
    }

    @Test("A transaction on an old generation is refused as a whole")
    func generation() throws {
        try Sandbox.with("gen") { sandbox, socket in
            let generation = try socket.generation()
            _ = try sandbox.run("nft", "add table ip other")
            #expect(try socket.generation() != generation)
            let error = #expect(throws: NFTablesError.self) {
                try socket.commit(Transaction([.addTable(table)]), ifGeneration: generation)
            }
            #expect(error?.errno == .restart && error?.index == nil)
            let now = try socket.generation()
            try socket.commit(Transaction([.addTable(table)]), ifGeneration: now)
            #expect(try socket.tables().contains(table))
        }
    }

    @Test("Twenty thousand elements go in and out, each time in one transaction", arguments: IPFamily.allCases)
    func bulk(family: IPFamily) throws {
        try Sandbox.with("bulk\(family.rawValue)") { _, socket in
            let set = NamedSet(
                table: table, name: "m", key: [.address(family), .port], value: .data([.address(family), .port]))
            let base = try #require(IPAddress(family == .ipv4 ? "10.0.0.0" : "fd00::"))
            let elements = (0..<20_000).map { index in
                let key = Key.of {
                    $0.append(IPAddress(family: family, bits: base.bits + UInt128(index)))
                    $0.append(port: 80)
                }
                return Element(key, .data(key))
            }
            try socket.commit(
                Transaction([.addTable(table), .addSet(set), .addElements(table, set: "m", elements)]))
            let before = try socket.generation()
            #expect(try Swift.Set(socket.elements(of: table, set: "m")) == Swift.Set(elements))
            try socket.commit(
                Transaction([
                    .deleteElements(table, set: "m", Array(elements.dropFirst())),
                    .addElements(table, set: "m", [elements[0]]),
                ]))
            #expect(try socket.generation() == before + 1)
            #expect(try socket.elements(of: table, set: "m") == [elements[0]])
        }
    }

    @Test("Prefixes of each family stand in a set of ranges, up to the end of the address space")
    func ranges() throws {
        try Sandbox.with("ranges") { sandbox, socket in
            let inet = Table(family: .inet, name: "t")
            let prefixes = try ["10.244.0.0/24", "10.244.1.0/24", "255.255.255.0/24", "fd00:10::/56", "ff00::/8"]
                .map { try #require(IPPrefix($0)) }
            var transaction = Transaction([.addTable(inet)])
            for family in IPFamily.allCases {
                let name = "ranges-\(family.rawValue)"
                transaction.append(
                    .addSet(NamedSet(table: inet, name: name, key: [.address(family)], flags: .interval)))
                transaction.append(
                    .addElements(
                        inet, set: name, prefixes.filter { $0.family == family }.flatMap { Element.range($0) }))
            }
            try socket.commit(transaction)
            let listing = try sandbox.run("nft", "list", "ruleset")
            for prefix in prefixes { #expect(listing.contains("\(prefix)"), "\(listing)") }
            for (family, member) in [(IPFamily.ipv4, "10.244.1.77"), (.ipv6, "fd00:10::1")] {
                let answer = try sandbox.run("nft", "get element inet t ranges-\(family.rawValue) { \(member) }")
                #expect(!answer.contains("Error"), "\(answer)")
            }
            for (family, member) in [(IPFamily.ipv4, "10.244.2.0"), (.ipv6, "fd00:10:0:100::1")] {
                let answer = try sandbox.run("nft", "get element inet t ranges-\(family.rawValue) { \(member) }")
                #expect(answer.contains("Error"), "\(answer)")
            }
        }
    }

    @Test("Ranges of several fields carry their last key")
    func concatenatedRanges() throws {
        try Sandbox.with("concat") { sandbox, socket in
            let set = NamedSet(table: table, name: "s", key: [.address(.ipv4), .port], flags: .interval)
            let element = Element(
                Key.of {
                    $0.append(IPAddress(family: .ipv4, bits: 0x0a00_0000))
                    $0.append(port: 80)
                },
                lastKey: Key.of {
                    $0.append(IPAddress(family: .ipv4, bits: 0x0a00_00ff))
                    $0.append(port: 90)
                })
            try socket.commit(
                Transaction([.addTable(table), .addSet(set), .addElements(table, set: "s", [element])]))
            #expect(try sandbox.run("nft", "list ruleset").contains("10.0.0.0/24 . 80-90"))
            #expect(try socket.elements(of: table, set: "s") == [element])
            #expect(try socket.sets(of: table) == [set])
        }
    }
}
