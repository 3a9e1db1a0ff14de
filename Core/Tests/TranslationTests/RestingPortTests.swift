import Testing
import Translation

/// Public ports between two clients (RFC 6888, REQ-8).
struct `A port that was given back` {
    private static let others = (1...3).map { "2001:db8:2::\($0)" }

    /// The public port that a client gets for one of its ports; nil where there is none.
    private func port(_ bench: inout NAT64Bench, of client: String, _ number: Int = 40000) -> Int? {
        bench.send(NAT64Bench.udp6(number, from: client)).ports?.source
    }

    /// A translator with two ports, after the first client has had one of them until now.
    private func bench(
        _ timeouts: SessionTimeouts = SessionTimeouts(), _ change: (inout NAT64Configuration) -> Void = { _ in }
    ) -> NAT64Bench {
        var bench = NAT64Bench(timeouts) {
            $0.ports = 40000...40001
            change(&$0)
        }
        _ = bench.wait(seconds: 0)
        #expect(port(&bench, of: NAT64Bench.client) == 40000)
        _ = bench.wait(seconds: 301)
        #expect(bench.nat.mappingCount == 0)
        return bench
    }

    @Test func `is nobody else's for two minutes, and leads nowhere meanwhile`() {
        var bench = bench()
        #expect(bench.send(NAT64Bench.udp4(40000)).packet == nil)
        #expect(bench.nat.counters.drops(.noMapping) == 1)
        #expect(port(&bench, of: Self.others[0]) == 40001)
        #expect(port(&bench, of: Self.others[1]) == nil)
        #expect(bench.nat.counters.drops(.portsExhausted) == 1)
        _ = bench.wait(seconds: 118)
        #expect(port(&bench, of: Self.others[1]) == nil)
        _ = bench.wait(seconds: 2)
        #expect(port(&bench, of: Self.others[1]) == 40000)
    }

    @Test func `is its client's at once, and rests anew after that`() {
        var bench = bench()
        #expect(port(&bench, of: NAT64Bench.client) == 40000)
        #expect(bench.send(NAT64Bench.udp4(40000)).packet != nil)
        // What it rested for before frees nothing that is in use.
        _ = bench.wait(seconds: 299)
        #expect(port(&bench, of: Self.others[0]) == 40001)
        #expect(port(&bench, of: Self.others[1]) == nil)
        _ = bench.wait(seconds: 2)
        #expect(bench.nat.mappingCount == 1)
        #expect(port(&bench, of: Self.others[1]) == nil)
        _ = bench.wait(seconds: 121)
        #expect(port(&bench, of: Self.others[1]) == 40000)
    }

    @Test func `needs no rest where that would protect nobody, or is not wanted`() {
        var timeouts = SessionTimeouts()
        timeouts.portRest = 0
        for index in 0..<3 {
            var bench =
                switch index {
                case 0: bench { $0.filtering = .addressDependent }
                case 1: bench { $0.maximumRestingPorts = 0 }
                default: bench(timeouts)
                }
            #expect(port(&bench, of: Self.others[0]) == 40000, "case \(index)")
        }
        // The sessions of TCP show that they are over.
        var bench = bench()
        #expect(bench.send(NAT64Bench.tcp6(40000, flags: 2)).packet != nil)
        _ = bench.wait(seconds: 241)
        #expect(bench.nat.mappingCount == 0)
        let other = TestPackets.ipv6(
            Self.others[0], NAT64Bench.server6, next: 6,
            TestPackets.tcp(Self.others[0], NAT64Bench.server6, (40000, 443), flags: 2, []))
        #expect(bench.send(other).ports?.source == 40000)
    }

    @Test func `ends its rest early where more of them would rest than may`() {
        var bench = bench {
            $0.ports = 40000...40003
            $0.maximumRestingPorts = 2
        }
        for number in 40001...40003 { #expect(port(&bench, of: NAT64Bench.client, number) == number) }
        #expect(bench.send(NAT64Bench.tcp6(40000, flags: 2)).packet != nil)
        _ = bench.wait(seconds: 301)
        // The last two of four that were given back rest; which of the others comes first is for chance.
        let given = Self.others.map { port(&bench, of: $0, 50000) }
        #expect(given.prefix(2).allSatisfy { $0 != nil } && given[0] != given[1] && given[2] == nil)
    }

    @Test func `does not rest when nothing was ever sent from it`() {
        var bench = NAT64Bench {
            $0.ports = 40000...40001
            $0.sessionsPerClient = 1
        }
        #expect(port(&bench, of: NAT64Bench.client) == 40000)
        for _ in 0..<5 { #expect(port(&bench, of: NAT64Bench.client, 40001) == nil) }
        #expect(bench.nat.counters.drops(.quota) == 5)
        #expect(port(&bench, of: Self.others[0], 40001) == 40001)
    }
}
