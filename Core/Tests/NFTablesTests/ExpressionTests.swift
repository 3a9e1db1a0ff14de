import Addresses
import NFTables
import Testing

@Suite("Expressions in the kernel, as nft shows them")
struct ExpressionTests {
    private static let r = Register(0)

    /// Expressions of a rule in a base chain, and the text that nft prints for it.
    static let rows: [(hook: Chain.Hook, kind: Chain.Kind, expressions: [Expression], text: String)] = [
        (.input, .filter, [.counter], "counter packets 0 bytes 0"),
        (
            .input, .filter,
            [
                .connection(.state, r),
                .bitwise(
                    r, mask: (ConnectionState.established | ConnectionState.related).registerBytes, xor: [0, 0, 0, 0], r
                ),
                .compare(r, .notEqual, [0, 0, 0, 0]), .verdict(.accept),
            ], "ct state established,related accept"
        ),
        (
            .prerouting, .filter, [.fib(.destinationKind, r), .compare(r, .equal, AddressKind.local.registerBytes)],
            "fib daddr type local"
        ),
        (
            .prerouting, .filter,
            [.fib(.reversePath, r), .compare(r, .equal, [0, 0, 0, 0]), .verdict(.drop)], "fib saddr . iif oif 0 drop"
        ),
        (
            .input, .filter,
            [
                .meta(.transportProtocol, r), .compare(r, .equal, [6]), .reject(.tcpReset),
            ], "meta l4proto tcp reject with tcp reset"
        ),
        (.input, .filter, [.reject(.icmpAny(.portUnreachable))], "reject"),
        (
            .input, .filter, [.meta(.networkProtocol, r), .compare(r, .equal, [10]), .reject(.icmp(code: 1))],
            "reject with icmpv6 admin-prohibited"
        ),
        (.postrouting, .nat, [.masquerade()], "masquerade"),
        (.postrouting, .nat, [.masquerade(fullyRandom: true)], "masquerade fully-random"),
        (
            .prerouting, .nat,
            [
                .meta(.transportProtocol, r), .compare(r, .equal, [17]), .immediate([0, 53], r), .redirect(port: r),
            ], "meta l4proto udp redirect to :53"
        ),
        (
            .prerouting, .nat,
            [
                .meta(.networkProtocol, r), .compare(r, .equal, [2]), .immediate([192, 0, 2, 1], r),
                .nat(.destination, .ipv4, address: r),
            ], "dnat ip to 192.0.2.1"
        ),
        (
            .prerouting, .filter,
            [.immediate(UInt32(0x44).registerBytes, r), .setMark(r)], "meta mark set 0x00000044"
        ),
        (
            .prerouting, .filter,
            [.meta(.mark, r), .setConnectionMark(r)], "ct mark set meta mark"
        ),
        (
            .input, .filter, [.limit(rate: 10, seconds: 1, burst: 5), .verdict(.accept)],
            "limit rate 10/second accept"
        ),
        (
            .input, .filter,
            [.connection(.direction, r), .compare(r, .equal, [1])], "ct direction reply"
        ),
        (
            .input, .filter,
            [
                .connection(.destination(.original, .ipv4), r), .compare(r, .equal, [10, 96, 0, 1]),
                .connection(.destinationPort(.original), r), .compare(r, .equal, [0, 80]),
            ], "ct original ip daddr 10.96.0.1 ct original proto-dst 0x50 [invalid type]"
        ),
        (
            .input, .filter,
            [
                .meta(.inputInterfaceName, r),
                .compare(r, .notEqual, Array("lo".utf8) + [UInt8](repeating: 0, count: 14)),
            ], "iifname != \"lo\""
        ),
        (
            .prerouting, .filter,
            [
                .meta(.networkProtocol, r), .compare(r, .equal, [2]), .immediate([192, 0, 2, 1], r),
                .setAddress(.source, .ipv4, r),
            ], "ip saddr set 192.0.2.1"
        ),
        (
            .prerouting, .filter,
            [
                .meta(.transportProtocol, r), .compare(r, .equal, [1]), .immediate([192, 0, 2, 1], r),
                .setPayload(.transport, offset: 20, length: 4, r, checksum: 18),
            ], "@th,160,32 set 0xc0000201"
        ),
        (.prerouting, .filter, [.noTrack], "notrack"),
        (
            .prerouting, .filter, [.socketIsWildcard(Register(0)), .compare(Register(0), .equal, [0])],
            "socket wildcard 0"
        ),
        (.input, .filter, [.verdict(.jump("other"))], "jump other"),
        (
            .input, .filter,
            [
                .meta(.networkProtocol, r), .compare(r, .equal, [2]), .payload(.network, offset: 12, length: 4, r),
                .contains(set: "addresses", r, inverted: true),
            ], "ip saddr != @addresses"
        ),
        (
            .input, .filter,
            [
                .meta(.networkProtocol, r), .compare(r, .equal, [2]), .payload(.network, offset: 12, length: 4, r),
                .change(.update, set: "clients", key: r, timeout: 10_000),
            ], "update @clients { ip saddr timeout 10s }"
        ),
    ]

    @Test("nft prints the rule that was meant", arguments: 0..<rows.count)
    func text(row: Int) throws {
        let (hook, kind, expressions, text) = Self.rows[row]
        try Sandbox.with("expr\(row)") { sandbox, socket in
            let table = Table(family: .inet, name: "t")
            let priority: Int32 = kind == .nat ? (hook == .postrouting ? 100 : -100) : 0
            try socket.commit(
                Transaction([
                    .addTable(table),
                    .addSet(NamedSet(table: table, name: "addresses", key: [.address(.ipv4)], flags: .interval)),
                    .addSet(
                        NamedSet(
                            table: table, name: "clients", key: [.address(.ipv4)], flags: [.timeout, .dynamic],
                            timeout: 60_000, size: 65_536)),
                    .addChain(Chain(table: table, name: "other")),
                    .addChain(Chain(table: table, name: "c", base: .init(kind, hook, priority: priority))),
                    .addRule(Rule(table: table, chain: "c", comment: "why", owner: "whose", expressions)),
                ]))
            let listing = try sandbox.run("nft", "list", "chain", "inet", "t", "c")
            let rule = listing.split(separator: "\n").dropFirst(3).first.map(String.init) ?? listing
            #expect(rule.contains("\(text) comment \"why\"") && !rule.contains("whose"), "\(listing)")
            let entry = try #require(try socket.rules(of: table, chain: "c").first)
            #expect([entry.comment, entry.owner] == ["why", "whose"])
        }
    }

    @Test("A hash of registers and a counting number are accepted")
    func numbers() throws {
        try Sandbox.with("numbers") { sandbox, socket in
            let table = Table(family: .ip, name: "t")
            try socket.commit(
                Transaction([
                    .addTable(table),
                    .addChain(Chain(table: table, name: "c", base: .init(.filter, .prerouting, priority: 0))),
                    .addRule(
                        Rule(
                            table: table, chain: "c",
                            [
                                .payload(.network, offset: 12, length: 4, Self.r),
                                .hash(Self.r, length: 4, modulus: 7, seed: 9, Register(4)), .setMark(Register(4)),
                            ])),
                    .addRule(Rule(table: table, chain: "c", [.counting(modulus: 5, Self.r), .setMark(Self.r)])),
                ]))
            let listing = try sandbox.run("nft", "list", "ruleset")
            #expect(listing.contains("meta mark set jhash ip saddr mod 7 seed 0x9"), "\(listing)")
            #expect(listing.contains("meta mark set numgen inc mod 5"), "\(listing)")
        }
    }
}
