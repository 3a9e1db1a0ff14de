import Addresses
import DNSMessage
import DNSResolution
import Testing

@Suite struct `Synthesis of addresses` {
    /// A pod that has IPv6 alone, one that has both, one that has both and asks for synthesis, one that has IPv4 alone.
    private let six = "fd00:10:244::6"
    private let both = "10.244.0.5"
    private let asks = "fd00:10:244::8"
    private let four = "10.244.0.6"

    private func prefix(_ text: String) throws -> TranslationPrefix {
        try #require(IPPrefix(text).flatMap(TranslationPrefix.init))
    }

    private func bench(_ change: (inout ResolverOptions) -> Void = { _ in }) -> ResolverBench {
        let bench = ResolverBench(Fixtures.zone) {
            $0.dns64 = DNS64(prefixes: [.wellKnown])
            change(&$0)
        }
        bench.add("four.example", ("four.example", .address("198.51.99.1")))
        bench.add("both.example", ("both.example", .address("8.8.8.8")), ("both.example", .address("2001:db8::1")))
        bench.add(
            "mapped.example", ("mapped.example", .address("8.8.8.8")), ("mapped.example", .address("::ffff:8.8.8.8")))
        bench.add(
            "mixed.example", ("mixed.example", .address("2001:db8::1")), ("mixed.example", .address("::ffff:8.8.8.8")))
        bench.add("private.example", ("private.example", .address("10.1.2.3")))
        bench.add(
            "alias.example", ("alias.example", .cname(Fixtures.name("four.example"))),
            ("four.example", .address("8.8.4.4")))
        return bench
    }

    @Test(
        arguments: [
            ("fd00:10:245:6::9", ["64:ff9b::c633:6301"], "a node that has IPv6 networks alone"),
            ("fd00:10:245:7::9", [], "a node that has networks of both families"),
            ("fd00:10:245:8::9", [], "a network that is no node's"),
        ] as [(String, [String], String)])
    func `for a pod of another node, by its node's networks`(client: String, texts: [String], remark: String) throws {
        let bench = bench()
        let networks = [6, 7, 8].compactMap { IPPrefix("fd00:10:245:\($0)::/64") }
        bench.resolver.snapshot.clientPrefixes = ClientPrefixes(families: [.ipv4, .ipv6])
        for (network, what) in zip(networks, [ClientNetwork.pods([.ipv6]), .pods([.ipv4, .ipv6]), .others]) {
            bench.resolver.snapshot.clientPrefixes.set(network, what)
        }
        #expect(try bench.ask("four.example", .aaaa, from: client).texts == texts, "\(remark)")
    }

    @Test(
        arguments: [
            ("four.example", .aaaa, ["64:ff9b::c633:6301"], "made"),
            ("both.example", .aaaa, ["2001:db8::1"], "there already"),
            ("mapped.example", .aaaa, ["64:ff9b::808:808"], "all that is there is excluded"),
            ("mixed.example", .aaaa, ["2001:db8::1"], "some of what is there is excluded"),
            ("private.example", .aaaa, [], "the well-known prefix holds no private address"),
            ("alias.example", .aaaa, ["four.example.", "64:ff9b::808:404"], "behind an alias"),
            ("four.example", .a, ["198.51.99.1"], "another type"),
            ("web.default.svc.cluster.local", .aaaa, ["fd00:10:96::20"], "a Service"),
            ("old.default.svc.cluster.local", .aaaa, [], "never in the zone of the cluster"),
            ("ipv4only.arpa", .a, ["192.0.0.170", "192.0.0.171"], "RFC 7050"),
            ("ipv4only.arpa", .aaaa, ["64:ff9b::c000:aa", "64:ff9b::c000:ab"], "RFC 7050"),
            ("ipv4only.arpa", .txt, [], "nothing else is there"),
            ("170.0.0.192.in-addr.arpa", .ptr, ["ipv4only.arpa."], "RFC 8880"),
            (
                "8.0.8.0.8.0.8.0.ZEROS.b.9.f.f.4.6.0.0.ip6.arpa", .ptr, ["8.8.8.8.in-addr.arpa.", "dns.example."],
                "reverse"
            ),
            (
                "4.1.0.0.0.6.a.0.ZEROS.b.9.f.f.4.6.0.0.ip6.arpa", .ptr,
                ["20.0.96.10.in-addr.arpa.", "web.default.svc.cluster.local."], "reverse of a Service"
            ),
        ] as [(String, DNSRecordType, [String], String)])
    func `for a pod that has IPv6 alone`(name: String, type: DNSRecordType, texts: [String], remark: String) throws {
        let bench = bench()
        bench.add("8.8.8.8.in-addr.arpa", ("8.8.8.8.in-addr.arpa", .ptr(Fixtures.name("dns.example"))))
        let zeros = Array(repeating: "0", count: 16).joined(separator: ".")
        let name = name.split(separator: "ZEROS").joined(separator: zeros)
        let answer = try bench.ask(name, type, from: six)
        #expect(answer.responseCode == .noError)
        #expect(answer.texts == texts, "\(remark)")
    }

    @Test func `asks nothing about what must not be asked`() throws {
        let bench = bench()
        for (name, code) in [("ipv4only.arpa", DNSResponseCode.noError), ("x.ipv4only.arpa", .nameError)] {
            for type in [DNSRecordType.a, .aaaa, .ns, .any] {
                for client in [six, both] { #expect(try bench.ask(name, type, from: client).responseCode == code) }
            }
        }
        #expect(bench.asked.isEmpty)
        #expect(try bench.ask("nope.example", .aaaa, from: six).responseCode == .nameError)
        #expect(bench.asked.map(\.type) == [.aaaa], "a name that does not exist has no IPv4 address either")
    }

    @Test func `is a matter of the pod that asks`() throws {
        for (client, texts) in [
            (six, ["64:ff9b::c633:6301"]), (both, []), (asks, ["64:ff9b::c633:6301"]), (four, []),
            ("fd00:10:244::999", []), ("127.0.0.1", []),
        ] {
            #expect(try bench().ask("four.example", .aaaa, from: client).texts == texts, "\(client)")
        }
        let always = bench { $0.policy.dualStack = .synthesize }
        #expect(try always.ask("four.example", .aaaa, from: both).texts == ["64:ff9b::c633:6301"])
        let never = bench { $0.policy.ipv6Only = .pass }
        #expect(try never.ask("four.example", .aaaa, from: six).texts == [])
    }

    @Test(arguments: [ZoneSettings.PodNames.disabled, .insecure, .verified])
    func `knows the pods, whether their names are answered or not`(names: ZoneSettings.PodNames) throws {
        let bench = ResolverBench(Fixtures.filled(Fixtures.emptyModel(pods: names))) {
            $0.dns64 = DNS64(prefixes: [.wellKnown])
            $0.policy.ipv4Only = .filter
        }
        bench.add("four.example", ("four.example", .address("198.51.99.1")))
        #expect(try bench.ask("four.example", .aaaa, from: six).texts == ["64:ff9b::c633:6301"])
        #expect(try bench.ask("web.default.svc.cluster.local", .aaaa, from: four).texts == [])
        #expect(try bench.ask("web.default.svc.cluster.local", .aaaa, from: both).texts == ["fd00:10:96::20"])
    }

    @Test func `leaves out families that a pod does not have`() throws {
        let bench = bench {
            $0.policy = TreatmentPolicy(ipv4Only: .filter, ipv6Only: [.filter, .synthesize])
        }
        for (client, name, type, texts) in [
            (four, "both.example", DNSRecordType.aaaa, []), (four, "both.example", .a, ["8.8.8.8"]),
            (four, "web.default.svc.cluster.local", .aaaa, []),
            (four, "web.default.svc.cluster.local", .a, ["10.96.0.20"]),
            (six, "both.example", .a, []), (six, "four.example", .aaaa, ["64:ff9b::c633:6301"]),
            (six, "web.default.svc.cluster.local", .a, []), (both, "both.example", .aaaa, ["2001:db8::1"]),
        ] as [(String, String, DNSRecordType, [String])] {
            let answer = try bench.ask(name, type, from: client)
            #expect(answer.texts == texts && answer.responseCode == .noError, "\(client) \(name)")
        }
        let lone = self.bench { $0.policy.ipv4Only = .filter }
        #expect(try lone.ask("nope.example", .a, from: four).responseCode == .nameError)
        #expect(try lone.ask("nope.example", .aaaa, from: four).responseCode == .nameError, "as the A question said")
        #expect(lone.asked.count == 1, "nothing is asked for nothing")
    }

    @Test(arguments: [
        ("2001:db8::/32", "2001:db8:c633:6301::"), ("2001:db8:100::/40", "2001:db8:1c6:3363:1::"),
        ("2001:db8:122::/48", "2001:db8:122:c633:63:100::"), ("2001:db8:122:300::/56", "2001:db8:122:3c6:33:6301::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c6:3363:100:0"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::c633:6301"),
    ])
    func `knows every length of prefix`(text: String, address: String) throws {
        let prefix = try prefix(text)
        let bench = bench { $0.dns64 = DNS64(prefixes: [prefix, .wellKnown]) }
        let answer = try bench.ask("four.example", .aaaa, from: six)
        #expect(answer.texts == [address, "64:ff9b::c633:6301"].map { IPAddress($0)?.description ?? "" })
        let inside = try bench.ask("private.example", .aaaa, from: six)
        #expect(inside.texts.count == 1, "a prefix of one's own holds private addresses")
    }

    @Test func `excludes ranges of both families`() throws {
        let bench = bench {
            $0.dns64 = DNS64(
                prefixes: [.wellKnown], excludedIPv6: ["2001:db8::/32"].compactMap { IPPrefix($0) },
                excludedIPv4: ["198.51.99.0/24"].compactMap { IPPrefix($0) })
        }
        #expect(try bench.ask("both.example", .aaaa, from: six).texts == ["64:ff9b::808:808"])
        #expect(try bench.ask("four.example", .aaaa, from: six).texts == [])
    }

    @Test(arguments: [
        (true, true, false), (true, false, true), (false, true, true), (false, false, true),
    ])
    func `minds DO and CD`(wantsDNSSEC: Bool, isCheckingDisabled: Bool, isMade: Bool) throws {
        let bench = bench()
        let answer = try bench.ask(
            "four.example", .aaaa, from: six, extendedDNS: ExtendedDNS(wantsDNSSEC: wantsDNSSEC),
            flags: isCheckingDisabled ? [.checkingDisabled] : [])
        #expect(answer.texts.isEmpty != isMade)
        #expect(!answer.flags.contains(.authenticData))
    }

    @Test func `takes other errors for an absence, and absence for as long as it lasts`() throws {
        for (code, negativeTTL, ttl) in [
            (DNSResponseCode.noError, UInt32(60), UInt32(60)), (.noError, 4000, 300), (.serverFailure, nil, 300),
            (.refused, nil, 300),
        ] as [(DNSResponseCode, UInt32?, UInt32)] {
            let bench = bench()
            bench.negativeTTL = negativeTTL
            bench.answers["four.example AAAA"] = .failure(ResolverBench.ServerSays(code: code))
            let answer = try bench.ask("four.example", .aaaa, from: six)
            #expect(answer.texts == ["64:ff9b::c633:6301"])
            #expect(answer.answers.first?.ttl == ttl, "\(code)")
        }
    }
}

/// Made addresses are kept as they stand in an answer; what comes of it must be what would be made anew.
@Suite struct `Addresses that have been made before` {
    private let six = "fd00:10:244::6"

    private func bench() -> ResolverBench {
        let bench = ResolverBench(Fixtures.zone) { $0.dns64 = DNS64(prefixes: [.wellKnown]) }
        bench.negativeTTL = 200
        bench.add("plain.example", ("plain.example", .address("8.8.8.8")), ("plain.example", .address("8.8.4.4")))
        bench.add(
            "alias.example", ("alias.example", .cname(Fixtures.name("end.example"))),
            ("end.example", .address("8.8.4.4")))
        return bench
    }

    @Test(arguments: ["plain.example", "alias.example"])
    func `are the same, with what is left of their lifetimes`(name: String) throws {
        let (bench, fresh) = (bench(), bench())
        for passed in [0, 1_000, 30_500, 199_000] as [Int64] {
            // The one has answered before at other times, the other makes its answer of the same facts each time.
            bench.now = 1_000_000 + passed
            let again = try bench.ask(name, .aaaa, from: six)
            fresh.now = 1_000_000
            _ = try fresh.ask(name, .a)
            _ = try fresh.ask(name, .aaaa, from: "10.244.0.5")
            fresh.now += passed
            let anew = try fresh.ask(name, .aaaa, from: six)
            #expect(again.answers == anew.answers, "after \(passed) ms")
            #expect(again.answers.last?.ttl == 200 - UInt32(passed / 1000))
        }
        #expect(bench.asked.count == 2)
        bench.now += 2_000
        #expect(try bench.ask(name, .aaaa, from: six).answers.last?.ttl == 99)
        #expect(bench.asked.map(\.type) == [.aaaa, .a, .aaaa], "the absence has ended, the address has not")
    }

    @Test func `are made anew for clients that take less, and for other treatments`() throws {
        let bench = bench()
        let many = (1...30).map { ("many.example", DNSRecordData.address("8.8.8.\($0)")) }
        bench.answers["many.example A"] = .success(
            many.map { ResourceRecord(name: Fixtures.name($0.0), ttl: 300, data: $0.1) })
        bench.answers["many.example AAAA"] = .success([])
        let large = ExtendedDNS(payloadSize: 1232)
        for _ in 0..<2 {
            #expect(try bench.ask("many.example", .aaaa, from: six, extendedDNS: large).answers.count == 30)
            let small = try bench.ask("many.example", .aaaa, from: six)
            #expect(small.flags.contains(.truncated) && small.answers.count < 30)
            #expect(try bench.ask("plain.example", .aaaa, from: six).answers.count == 2)
            #expect(try bench.ask("plain.example", .aaaa, from: "10.244.0.5").answers.isEmpty)
        }
    }

    @Test func `are asked for again before their end`() throws {
        let bench = bench()
        for _ in 0..<4 { _ = try bench.ask("plain.example", .aaaa, from: six) }
        bench.now += 185_000
        for _ in 0..<3 { _ = try bench.ask("plain.example", .aaaa, from: six) }
        #expect(bench.resolver.refreshes.map(\.type) == [.aaaa], "their IPv4 addresses hold longer")
    }
}
