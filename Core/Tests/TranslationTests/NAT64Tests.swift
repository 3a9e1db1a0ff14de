import Addresses
import Testing
import Translation

struct `Stateful NAT64` {
    @Test
    func `carries a query there and its answer back`() {
        var bench = NAT64Bench()
        let out = bench.send(NAT64Bench.udp6(40000))
        let expected = TestPackets.ipv4(
            NAT64Bench.pool, NAT64Bench.server, proto: 17,
            TestPackets.udp(NAT64Bench.pool, NAT64Bench.server, (40000, 53), [1, 2, 3]), ttl: 63)
        #expect(out == .forward(expected))
        let back = TestPackets.ipv6(
            NAT64Bench.server6, NAT64Bench.client, next: 17,
            TestPackets.udp(NAT64Bench.server6, NAT64Bench.client, (53, 40000), [4, 5]), hops: 63)
        #expect(bench.send(NAT64Bench.udp4(40000)) == .forward(back))
        #expect(bench.nat.counters.packets(to: .ipv4) == 1)
        #expect(bench.nat.counters.packets(to: .ipv6) == 1)
    }

    @Test
    func `keeps a client's port for all that it talks to, and another client's apart`() {
        var bench = NAT64Bench()
        let first = bench.send(NAT64Bench.udp6(40000)).ports?.source
        let second = bench.send(NAT64Bench.udp6(40000, to: "2001:db8:64::192.0.2.99", 99)).ports?.source
        #expect(first == second)
        #expect(bench.nat.mappingCount == 1)
        #expect(bench.nat.sessionCount == 2)
        let other = bench.send(NAT64Bench.udp6(40000, from: "2001:db8:1::11")).ports?.source
        #expect(other != nil && other != first)
        #expect(other.map { $0 % 2 } == 0, "an even port stays even")
        #expect(other.map { $0 >= 1024 } == true)
        let back = bench.send(NAT64Bench.udp4(other ?? 0))
        #expect(back.ports?.destination == 40000)
        #expect(back.packet.map { Array($0[24..<40]) } == TestPackets.address("2001:db8:1::11"))
    }

    @Test(arguments: [SessionFiltering.endpointIndependent, .addressDependent])
    func `lets those in that the policy names`(filtering: SessionFiltering) {
        var bench = NAT64Bench { $0.filtering = filtering }
        _ = bench.send(NAT64Bench.udp6(40000))
        let sameHost = bench.send(NAT64Bench.udp4(40000, from: NAT64Bench.server, 5353))
        #expect(sameHost.packet != nil, "the host's other ports may answer")
        let stranger = bench.send(NAT64Bench.udp4(40000, from: "192.0.2.66"))
        switch filtering {
        case .endpointIndependent: #expect(stranger.packet != nil)
        case .addressDependent:
            guard case .reply(let error, .filtered) = stranger else {
                Issue.record("a stranger got \(stranger)")
                return
            }
            #expect(Array(error[20..<22]) == [3, 13])
            #expect(bench.nat.sessionCount == 2)
        }
        // When the sessions have ended, so has the permission.
        #expect(bench.wait(seconds: 301) == [])
        #expect(bench.wait(seconds: 301) == [])
        #expect(bench.nat.sessionCount == 0)
        #expect(bench.nat.mappingCount == 0)
    }

    @Test
    func `answers those that come to a port that nobody holds`() {
        var bench = NAT64Bench()
        guard case .reply(let error, .noMapping) = bench.send(NAT64Bench.udp4(40000)) else {
            Issue.record("no answer")
            return
        }
        #expect(Array(error[20..<22]) == [3, 1])
        #expect(TestPackets.hasRightChecksums(error))
        #expect(bench.nat.sessionCount == 0)
    }

    @Test
    func `carries pings by their identifier`() {
        var bench = NAT64Bench()
        let (client, server6) = (NAT64Bench.client, NAT64Bench.server6)
        for from in [client, "2001:db8:1::11"] {
            let request = TestPackets.ipv6(
                from, server6, next: 58, TestPackets.icmpv6(from, server6, 128, 0, [0, 77, 0, 1], [9]))
            guard let out = bench.send(request).packet else {
                Issue.record("the request was not forwarded")
                return
            }
            #expect(TestPackets.hasRightChecksums(out))
            let identifier = Array(out[24..<26])
            #expect((identifier == [0, 77]) == (from == client))
            let reply = TestPackets.ipv4(
                NAT64Bench.server, NAT64Bench.pool, proto: 1, TestPackets.icmpv4(0, 0, identifier + [0, 1], [9]))
            let expected = TestPackets.ipv6(
                server6, from, next: 58, TestPackets.icmpv6(server6, from, 129, 0, [0, 77, 0, 1], [9]), hops: 63)
            #expect(bench.send(reply) == .forward(expected))
        }
        #expect(bench.nat.sessionCount == 2)
        #expect(bench.sessions().allSatisfy { $0.kind == .icmp && $0.expires == 1060 })
    }

    @Test
    func `brings errors about a client's packets to the client, and only those`() {
        var bench = NAT64Bench()
        _ = bench.send(NAT64Bench.udp6(40000, from: "2001:db8:1::11"))
        guard let sent = bench.send(NAT64Bench.udp6(40000)).packet else {
            Issue.record("the datagram was not forwarded")
            return
        }
        let router = "203.0.113.9"
        let error = TestPackets.ipv4(
            router, NAT64Bench.pool, proto: 1, TestPackets.icmpv4(11, 0, [0, 0, 0, 0], sent))
        let quoted = TestPackets.ipv6(
            NAT64Bench.client, NAT64Bench.server6, next: 17,
            TestPackets.udp(NAT64Bench.client, NAT64Bench.server6, (40000, 53), [1, 2, 3]), hops: 63)
        let from = "2001:db8:64::203.0.113.9"
        let expected = TestPackets.ipv6(
            from, NAT64Bench.client, next: 58,
            TestPackets.icmpv6(from, NAT64Bench.client, 3, 0, [0, 0, 0, 0], quoted), hops: 63)
        #expect(bench.send(error) == .forward(expected))
        // One about a packet to another host is a forgery.
        let forged = TestPackets.ipv4(
            NAT64Bench.pool, "192.0.2.99", proto: 17,
            TestPackets.udp(NAT64Bench.pool, "192.0.2.99", (40000, 53), [1]))
        let forgery = TestPackets.ipv4(
            router, NAT64Bench.pool, proto: 1, TestPackets.icmpv4(3, 3, [0, 0, 0, 0], forged))
        #expect(bench.send(forgery) == .drop(.unmappedInnerPacket))
        #expect(bench.nat.sessionCount == 2)
    }

    @Test
    func `brings a client's errors to the host that they are about`() {
        var bench = NAT64Bench()
        _ = bench.send(NAT64Bench.udp6(40000))
        guard let answer = bench.send(NAT64Bench.udp4(40000)).packet else {
            Issue.record("the answer was not forwarded")
            return
        }
        let (client, server6) = (NAT64Bench.client, NAT64Bench.server6)
        let error = TestPackets.ipv6(
            client, server6, next: 58, TestPackets.icmpv6(client, server6, 1, 4, [0, 0, 0, 0], answer))
        let quoted = TestPackets.ipv4(
            NAT64Bench.server, NAT64Bench.pool, proto: 17,
            TestPackets.udp(NAT64Bench.server, NAT64Bench.pool, (53, 40000), [4, 5]), ttl: 63)
        guard let out = bench.send(error).packet else {
            Issue.record("the error was not forwarded")
            return
        }
        #expect(Array(out[12..<20]) == TestPackets.address(NAT64Bench.pool) + TestPackets.address(NAT64Bench.server))
        #expect(Array(out[20...]) == TestPackets.icmpv4(3, 3, [0, 0, 0, 0], quoted))
    }

    @Test
    func `lets clients meet by their public addresses`() {
        var bench = NAT64Bench()
        let other = "2001:db8:1::11"
        let held = bench.send(NAT64Bench.udp6(40001, from: other)).ports?.source ?? 0
        let pool6 = "2001:db8:64::198.51.100.1"
        let met = bench.send(NAT64Bench.udp6(40000, to: pool6, held))
        let expected = TestPackets.ipv6(
            pool6, other, next: 17, TestPackets.udp(pool6, other, (40000, 40001), [1, 2, 3]), hops: 62)
        #expect(met == .forward(expected))
        let answer = bench.send(NAT64Bench.udp6(40001, to: pool6, 40000, from: other))
        #expect(answer.ports?.destination == 40000)
        #expect(answer.packet.map { Array($0[24..<40]) } == TestPackets.address(NAT64Bench.client))
        // The same from outside is an address that cannot be there.
        #expect(bench.send(NAT64Bench.udp4(held, from: NAT64Bench.pool)) == .drop(.illegalSource))
    }

    @Test
    func `lets clients meet whatever an IPv4 link takes`() {
        var bench = NAT64Bench { $0.options.ipv4MTU = 1000 }
        let other = "2001:db8:1::11"
        let held = bench.send(NAT64Bench.udp6(40001, from: other)).ports?.source ?? 0
        let (client, pool6) = (NAT64Bench.client, "2001:db8:64::198.51.100.1")
        for length in [1100, 1452] {
            let data = [UInt8](repeating: 3, count: length)
            let datagram = TestPackets.udp(client, pool6, (40000, held), data)
            let expected = TestPackets.ipv6(
                pool6, other, next: 17, TestPackets.udp(pool6, other, (40000, 40001), data), hops: 62)
            #expect(bench.send(TestPackets.ipv6(client, pool6, next: 17, datagram)) == .forward(expected))
        }
    }

    @Test
    func `tells those who use a transport without ports`() {
        var bench = NAT64Bench()
        let sctp = [UInt8](repeating: 1, count: 12)
        guard
            case .reply(let error6, .unsupportedProtocol) = bench.send(
                TestPackets.ipv6(NAT64Bench.client, NAT64Bench.server6, next: 132, sctp)),
            case .reply(let error4, .unsupportedProtocol) = bench.send(
                TestPackets.ipv4(NAT64Bench.server, NAT64Bench.pool, proto: 132, sctp))
        else {
            Issue.record("no answer")
            return
        }
        #expect(Array(error6[40..<42]) == [1, 4])
        #expect(Array(error4[20..<22]) == [3, 2])
        #expect(TestPackets.hasRightChecksums(error6) && TestPackets.hasRightChecksums(error4))
    }

    @Test
    func `drops loops, and destinations that are denied`() {
        var bench = NAT64Bench { $0.deniedDestinations = [Net.prefix("10.0.0.0/8")] }
        #expect(bench.send(NAT64Bench.udp6(1, from: "2001:db8:64::192.0.2.1")) == .drop(.loop))
        guard
            case .reply(let error, .forbiddenDestination) = bench.send(NAT64Bench.udp6(1, to: "2001:db8:64::10.1.2.3"))
        else {
            Issue.record("a denied destination was reached")
            return
        }
        #expect(Array(error[40..<42]) == [1, 1])
        #expect(bench.nat.clientCount == 0)
    }

    @Test
    func `holds no more for a client than its share, and tells it`() {
        var bench = NAT64Bench {
            $0.mappingsPerClient = 3
            $0.clientPrefixLength = 64
        }
        let results = (0..<4).map { bench.send(NAT64Bench.udp6(40000 + $0, from: "2001:db8:1::\($0 + 1)")) }
        #expect(results.prefix(3).allSatisfy { $0.packet != nil })
        guard case .reply(let error, .quota) = results[3] else {
            Issue.record("the fourth of three got \(results[3])")
            return
        }
        #expect(Array(error[40..<42]) == [1, 3])
        #expect(bench.send(NAT64Bench.udp6(1, from: "2001:db8:2::1")).packet != nil, "another link has its own share")
        #expect(bench.nat.counters.drops(.quota) == 1)
    }

    @Test
    func `gives out every port, and then says that there is none`() {
        var bench = NAT64Bench {
            $0.ports = 2000...2099
            $0.mappingsPerClient = 1000
        }
        var given: Set<Int> = []
        for port in 0..<100 {
            guard let source = bench.send(NAT64Bench.udp6(30000 + port)).ports?.source else {
                Issue.record("no port for number \(port)")
                return
            }
            given.insert(source)
        }
        #expect(given == Set(2000...2099))
        guard case .reply(_, .portsExhausted) = bench.send(NAT64Bench.udp6(30100)) else {
            Issue.record("a port out of nowhere")
            return
        }
        #expect(bench.nat.mappingCount == 100)
        // Other protocols have ports of their own, and ended sessions give theirs back.
        #expect(bench.send(NAT64Bench.tcp6(1, flags: 2)).packet != nil)
        #expect(bench.wait(seconds: 0) == [])
        #expect(bench.wait(seconds: 301) == [])
        #expect(bench.nat.sessionCount == 0)
        _ = bench.wait(seconds: 120)
        #expect(bench.send(NAT64Bench.udp6(30100)).packet != nil)
    }

    @Test
    func `gives new clients what any address of the pool has left`() {
        var bench = NAT64Bench {
            $0.pool = ["198.51.100.1", "198.51.100.2", "198.51.100.3"].compactMap(IPv4Address.init)
            $0.ports = 2000...2001
        }
        let given = (1...6).map { bench.send(NAT64Bench.udp6(2000, from: "2001:db8:1::\($0)")).packet }
        #expect(Set(given.map { $0.map { Array($0[12..<16] + $0[20..<22]) } }).count == 6)
        // When all ports have ended and rested, a client that has an address keeps it, though others have room.
        #expect(bench.wait(seconds: 301) == [] && bench.wait(seconds: 121) == [])
        let more = (0..<3).map { bench.send(NAT64Bench.udp6(2000 + $0)).packet != nil }
        #expect(more == [true, true, false])
    }

    @Test
    func `gives a client one public address for all of its ports`() {
        let pool = (1...8).map { "198.51.100.\($0)" }
        var bench = NAT64Bench { $0.pool = pool.compactMap(IPv4Address.init) }
        var taken: Set<[UInt8]> = []
        for client in (1...40).map({ "2001:db8:1::\($0)" }) {
            var addresses: Set<[UInt8]> = []
            for port in 1...5 {
                let query = NAT64Bench.udp6(port * 999, to: "2001:db8:64::192.0.2.\(port)", from: client)
                let packet = bench.send(query).packet
                addresses.insert(packet.map { Array($0[12..<16]) } ?? [])
            }
            let ping = TestPackets.icmpv6(client, NAT64Bench.server6, 128, 0, [0, 7, 0, 1], [])
            let echo = bench.send(TestPackets.ipv6(client, NAT64Bench.server6, next: 58, ping)).packet
            addresses.insert(echo.map { Array($0[12..<16]) } ?? [])
            #expect(addresses.count == 1, "\(client)")
            taken.formUnion(addresses)
        }
        #expect(taken == Set(pool.map(TestPackets.address)), "clients share all of the pool")
    }

    @Test(arguments: [(53, 0...1023), (52, 0...1023), (1024, 1024...65535), (65535, 1024...65535)])
    func `keeps the range and the parity of a port that it cannot keep`(port: Int, range: ClosedRange<Int>) {
        var bench = NAT64Bench { $0.ports = 1...65535 }
        #expect(bench.send(NAT64Bench.udp6(port)).ports?.source == port)
        for client in 11...30 {
            let given = bench.send(NAT64Bench.udp6(port, from: "2001:db8:1::\(client)")).ports?.source ?? -1
            #expect(range.contains(given) && given != port && given % 2 == port % 2, "\(given)")
        }
    }

    @Test(arguments: [false, true])
    func `looks at some hundred sessions at once`(prolongs: Bool) {
        let count = 10_000
        var bench = NAT64Bench {
            $0.maximumSessions = count
            $0.mappingsPerClient = count
        }
        for port in 1...count { _ = bench.send(NAT64Bench.udp6(port)) }
        #expect(bench.nat.sessionCount == count)
        _ = bench.wait(seconds: 200)
        if prolongs { for port in 1...count { _ = bench.send(NAT64Bench.udp6(port)) } }
        _ = bench.wait(seconds: 101)
        var turns = 1
        while bench.nat.isBehind(at: Timestamp(milliseconds: bench.milliseconds)) {
            #expect(prolongs || bench.nat.sessionCount == count - turns * 256)
            _ = bench.wait(seconds: 0)
            turns += 1
        }
        #expect(turns == count / 256 + 1, "a session costs the same whether it ends or lives on")
        #expect(bench.nat.sessionCount == (prolongs ? count : 0))
    }

    @Test
    func `refuses sessions beyond the table without leaving anything behind`() {
        var bench = NAT64Bench {
            $0.maximumSessions = 5
        }
        for port in 1...5 { #expect(bench.send(NAT64Bench.udp6(port)).packet != nil) }
        for port in 6...20 {
            guard case .reply(_, .tableFull) = bench.send(NAT64Bench.udp6(port)) else {
                Issue.record("a session beyond the table")
                return
            }
        }
        #expect(bench.nat.sessionCount == 5)
        #expect(bench.nat.mappingCount == 5)
        #expect(bench.nat.clientCount == 1)
    }
}
