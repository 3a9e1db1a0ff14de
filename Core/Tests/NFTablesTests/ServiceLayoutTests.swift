import Addresses
import Linux
import NFTables
import RouteNetlink
import Testing

/// The layout of Services: a verdict map to a chain that draws a number into the key of a data map.
struct ServiceLayout {
    let family: IPFamily
    let table: Table

    init(_ family: IPFamily) {
        self.family = family
        table = Table(family: .init(family), name: "t")
    }

    var destination: Expression {
        family == .ipv4
            ? .payload(.network, offset: 16, length: 4, Register(4))
            : .payload(.network, offset: 24, length: 16, Register(4))
    }

    var words: UInt32 { UInt32(family.byteCount / 4) }

    var key: [Expression] {
        [
            destination, .meta(.transportProtocol, Register(4 + words)),
            .payload(.transport, offset: 2, length: 2, Register(5 + words)),
        ]
    }

    func serviceKey(_ address: IPAddress, _ port: UInt16, _ number: UInt32? = nil) -> Key {
        Key.of {
            $0.append(address)
            $0.append(transportProtocol: 6)
            $0.append(port: port)
            if let number { $0.append(number: number) }
        }
    }

    func endpoint(_ address: IPAddress, _ port: UInt16) -> Key {
        Key.of {
            $0.append(address)
            $0.append(port: port)
        }
    }

    func transaction(service: IPAddress, endpoints: [(IPAddress, UInt16)]) -> Transaction {
        let fields: [DataType] = [.address(family), .transportProtocol, .port]
        var transaction = Transaction([
            .addTable(table),
            .addSet(NamedSet(table: table, name: "services", key: fields, value: .verdict)),
            .addSet(
                NamedSet(
                    table: table, name: "endpoints", key: fields + [.mark], value: .data([.address(family), .port]))),
            .addChain(Chain(table: table, name: "endpoints-2")),
            .addChain(
                Chain(table: table, name: "output", base: .init(.nat, .output, priority: Chain.Priority.destinationNAT))
            ),
            .addRule(Rule(table: table, chain: "output", key + [.verdictMap("services", Register(4))]).stamped()),
            .addRule(
                Rule(
                    table: table, chain: "endpoints-2",
                    key + [
                        .random(modulus: 2, Register(6 + words)),
                        .lookup(map: "endpoints", Register(4), into: Register(4)),
                        .nat(.destination, family, address: Register(4), port: Register(4 + words)),
                    ]
                ).stamped()),
            .addElements(table, set: "services", [Element(serviceKey(service, 80), .verdict(.goto("endpoints-2")))]),
        ])
        transaction.append(
            .addElements(
                table, set: "endpoints",
                endpoints.enumerated().map { index, endpoint in
                    Element(
                        serviceKey(service, 80, UInt32(index)), .data(self.endpoint(endpoint.0, endpoint.1)))
                }))
        return transaction
    }
}

@Suite("The layout of Services in the kernel")
struct ServiceLayoutTests {
    @Test("nft reads it as it is meant, and connections reach the endpoints", arguments: IPFamily.allCases)
    func connect(family: IPFamily) throws {
        try Sandbox.with("svc\(family.rawValue)") { sandbox, socket in
            let service = try #require(IPAddress(family == .ipv4 ? "10.96.0.1" : "fd00:96::1"))
            let loopback = IPAddress.loopback(family)
            let layout = ServiceLayout(family)
            try socket.commit(
                layout.transaction(service: service, endpoints: [(loopback, 8081), (loopback, 8082)]))
            let text = try sandbox.run("nft", "list", "ruleset")
            let word = family == .ipv4 ? "ip" : "ip6"
            #expect(text.contains("\(word) daddr . meta l4proto . th dport vmap @services"), "\(text)")
            #expect(
                text.contains("\(word) daddr . meta l4proto . th dport . numgen random mod 2 map @endpoints"), "\(text)"
            )
            #expect(text.contains("\(service) . tcp . 80 : goto endpoints-2"), "\(text)")
            #expect(text.contains("\(service) . tcp . 80 . 0x00000001 : \(loopback) . 8082"), "\(text)")

            var route = try NetworkNamespace.open(name: sandbox.name).run { try RouteSocket() }
            let lo = try #require(try route.link(named: "lo")).index
            try route.setUp(lo)
            try route.addAddress(InterfaceAddress(service, length: family.bitWidth), lo, flags: .noDAD)
            let script = """
                import socket, sys
                family, service, local = (socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET), sys.argv[1], sys.argv[2]
                servers = []
                for port in (8081, 8082):
                    s = socket.socket(family); s.bind((local, port)); s.listen(64); s.settimeout(3); servers.append(s)
                for _ in range(32):
                    c = socket.create_connection((service, 80), 3)
                    servers[[8081, 8082].index(c.getpeername()[1])].accept() if c.getpeername()[1] in (8081, 8082) else None
                    c.close()
                import select
                print([len(select.select([s], [], [], 0)[0]) for s in servers])
                """
            #expect(try sandbox.run("python3", "-c", script, "\(service)", "\(loopback)") == "[1, 1]\n")
        }
    }

    @Test("Tables, chains, rules, sets and elements read back as they were written", arguments: IPFamily.allCases)
    func readBack(family: IPFamily) throws {
        try Sandbox.with("back\(family.rawValue)") { _, socket in
            let layout = ServiceLayout(family)
            let address = IPAddress.loopback(family)
            let transaction = layout.transaction(service: address, endpoints: [(address, 1), (address, 2)])
            try socket.commit(transaction)
            #expect(try socket.tables() == [layout.table])
            var chains: [Chain] = []
            var sets: [NamedSet] = []
            var comments: [String?] = []
            var elements: [String: Swift.Set<Element>] = [:]
            for operation in transaction.operations {
                switch operation {
                case .addChain(let chain): chains.append(chain)
                case .addSet(let set): sets.append(set)
                case .addRule(let rule): comments.append(rule.comment)
                case .addElements(_, let set, let list): elements[set] = Swift.Set(list)
                default: break
                }
            }
            #expect(try Swift.Set(socket.chains(of: layout.table)) == Swift.Set(chains))
            #expect(try socket.sets(of: layout.table).map(\.name).sorted() == sets.map(\.name).sorted())
            #expect(try Swift.Set(socket.sets(of: layout.table)) == Swift.Set(sets))
            let rules = try socket.rules(of: layout.table)
            #expect(Swift.Set(rules.map(\.comment)) == Swift.Set(comments))
            #expect(try socket.rules(of: layout.table, chain: "output").count == 1)
            for (set, expected) in elements {
                #expect(try Swift.Set(socket.elements(of: layout.table, set: set)) == expected)
            }
            // The same again changes nothing but the rules, which are added once more.
            let again = Transaction(
                transaction.operations.filter { if case .addRule = $0 { false } else { true } })
            try socket.commit(again)
            #expect(try socket.rules(of: layout.table).count == rules.count)
        }
    }
}
