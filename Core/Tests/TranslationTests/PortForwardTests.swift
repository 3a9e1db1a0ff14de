import Addresses
import Glibc
import Testing
import Translation

/// A port of a client of the tests that is open to all.
private func forward(_ port: UInt16, to client: String = NAT64Bench.client, _ clientPort: UInt16) -> PortForward {
    PortForward(
        kind: .tcp, publicAddress: IPv4Address(NAT64Bench.pool) ?? IPv4Address(rawValue: 0), publicPort: port,
        client: IPv6Address(client) ?? IPv6Address(rawValue: 0), clientPort: clientPort)
}

struct `Forwarded ports` {
    @Test(arguments: [SessionFiltering.endpointIndependent, .addressDependent])
    func `lead to the client before it has sent anything, and stay`(filtering: SessionFiltering) {
        var bench = NAT64Bench {
            $0.forwards = [forward(80, 8080)]
            $0.filtering = filtering
        }
        for _ in 0..<2 {
            let opened = bench.send(NAT64Bench.tcp4(80, flags: 2))
            #expect(opened.ports?.destination == 8080)
            #expect(bench.nat.sessionCount == 1)
            let answer = bench.send(NAT64Bench.tcp6(8080, flags: 0x12))
            #expect(answer.ports?.source == 80)
            #expect(bench.sessions().first?.state == .established)
            _ = bench.wait(seconds: 0)
            // The session ends after the time-out of a silent one and the probe's; the port stays.
            _ = bench.wait(seconds: 8000)
            _ = bench.wait(seconds: 300)
            #expect(bench.nat.sessionCount == 0)
            #expect(bench.nat.mappingCount == 1)
        }
    }

    @Test
    func `are not given to other clients, nor twice`() {
        var bench = NAT64Bench {
            $0.forwards = [forward(2001, 8080), forward(2001, 9090), forward(2000, to: "2001:db8:1::99", 1)]
            $0.ports = 2000...2003
        }
        #expect(bench.nat.mappingCount == 2)
        let given = (0..<3).map { bench.send(NAT64Bench.tcp6(30000 + $0, flags: 2)).ports?.source }
        #expect(Set(given.compactMap(\.self)) == [2002, 2003])
        #expect(bench.nat.counters.drops(.portsExhausted) == 1)
    }
}

struct `TCP connections from outside` {
    @Test(arguments: [SessionFiltering.endpointIndependent, .addressDependent])
    func `wait for the client's, and are one with it`(filtering: SessionFiltering) {
        var bench = NAT64Bench { $0.filtering = filtering }
        #expect(bench.send(NAT64Bench.tcp4(40000, flags: 2)) == .held)
        let repeated = bench.send(NAT64Bench.tcp4(40000, flags: 2))
        #expect(repeated == .drop(.supersededSYN), "a repeated one takes no second place")
        #expect(bench.nat.sessionCount == 0)
        #expect(bench.send(NAT64Bench.tcp6(40000, flags: 2)).ports?.source == 40000)
        #expect(bench.sessions().map(\.state) == [.established])
        #expect(bench.wait(seconds: 7) == [], "what was met is forgotten")
        #expect(bench.nat.counters.drops(.supersededSYN) == 2)
        #expect(bench.send(NAT64Bench.tcp4(40000, flags: 0x12)).packet != nil)
    }

    @Test
    func `are refused after six seconds`() {
        var bench = NAT64Bench()
        let syn = NAT64Bench.tcp4(40000, flags: 2)
        #expect(bench.send(syn) == .held)
        #expect(bench.wait(seconds: 5) == [])
        let results = bench.wait(seconds: 1)
        guard case .reply(let error, .unansweredSYN) = results.first else {
            Issue.record("the sender was not told: \(results)")
            return
        }
        #expect(results.count == 1)
        #expect(Array(error[16..<20]) == TestPackets.address(NAT64Bench.server))
        #expect(Array(error[20..<22]) == [3, 3])
        #expect(Array(error[28...]) == syn)
        #expect(bench.nat.counters.drops(.unansweredSYN) == 1)
    }

    @Test
    func `take no more room than they may`() {
        var bench = NAT64Bench { $0.maximumHeldSYNs = 3 }
        let results = (0..<5).map { bench.send(NAT64Bench.tcp4(40000 + $0, flags: 2)) }
        #expect(results == [.held, .held, .held, .drop(.heldSYNLimit), .drop(.heldSYNLimit)])
        var none = NAT64Bench { $0.maximumHeldSYNs = 0 }
        guard case .reply(_, .noMapping) = none.send(NAT64Bench.tcp4(40000, flags: 2)) else {
            Issue.record("no answer where nothing is held")
            return
        }
    }

    @Test(arguments: [UInt8(0x10), 0x12, 0x04, 0x06, 0x01])
    func `do not wait unless they begin`(flags: UInt8) {
        var bench = NAT64Bench()
        guard case .reply(_, .noMapping) = bench.send(NAT64Bench.tcp4(40000, flags: flags)) else {
            Issue.record("no answer")
            return
        }
    }
}

struct `A translator without memory` {
    @Test
    func `refuses every session, and counts that`() async {
        await #expect(processExitsWith: .success) {
            // More than this process may have, whatever the machine has.
            var limit = rlimit(rlim_cur: 8 << 30, rlim_max: 8 << 30)
            guard setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0 else { exit(2) }
            var bench = NAT64Bench { $0.maximumSessions = 1 << 28 }
            guard !bench.nat.hasMemory else { exit(3) }
            guard case .reply(let error, .noMemory) = bench.send(NAT64Bench.udp6(40000)) else { exit(4) }
            guard Array(error[40..<42]) == [1, 3], bench.nat.counters.drops(.noMemory) == 1 else { exit(5) }
            guard case .reply(_, .noMapping) = bench.send(NAT64Bench.udp4(40000)) else { exit(6) }
            guard bench.wait(seconds: 10) == [], bench.sessions().isEmpty else { exit(7) }
            exit(0)
        }
    }
}
