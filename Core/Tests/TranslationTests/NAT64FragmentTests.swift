import Addresses
import Testing
import Translation

struct `Fragments through NAT64` {
    /// A datagram of 1000 bytes in three fragments.
    private func fragments6(_ identification: UInt8 = 9) -> [[UInt8]] {
        let (client, server6) = (NAT64Bench.client, NAT64Bench.server6)
        let datagram = TestPackets.udp(client, server6, (40000, 53), [UInt8](repeating: 6, count: 992))
        return [0..<400, 400..<800, 800..<1000].map { part in
            let word = part.lowerBound | (part.upperBound < 1000 ? 1 : 0)
            return TestPackets.ipv6(
                client, server6, next: 44,
                [17, 0] + TestPackets.word(word) + [0, 0, 0, identification] + datagram[part])
        }
    }

    private func payload(_ results: [Result]) -> [UInt8] {
        let packets = results.compactMap(\.packet).sorted {
            Int($0[6] & 0x1F) << 8 | Int($0[7]) < Int($1[6] & 0x1F) << 8 | Int($1[7])
        }
        return Array(packets.map { Array($0[20...]) }.joined())
    }

    private let expected = TestPackets.udp(
        NAT64Bench.pool, NAT64Bench.server, (40000, 53), [UInt8](repeating: 6, count: 992))

    @Test
    func `follow their first one`() {
        var bench = NAT64Bench()
        let results = fragments6().map { bench.send($0) }
        #expect(payload(results) == expected)
        #expect(bench.nat.sessionCount == 1)
    }

    @Test
    func `wait for their first one`() {
        var bench = NAT64Bench()
        let parts = fragments6()
        #expect(bench.send(parts[2]) == .held)
        #expect(bench.send(parts[1]) == .held)
        #expect(bench.wait(seconds: 0) == [])
        let first = bench.send(parts[0])
        let rest = bench.wait(seconds: 0)
        #expect(rest.count == 2)
        #expect(payload([first] + rest) == expected)
    }

    @Test(arguments: [(9000, true), (1500, false)])
    func `wait where they are no longer than a link takes`(mtu: Int, waits: Bool) {
        var bench = NAT64Bench {
            $0.options.ipv4MTU = mtu
            $0.options.ipv6MTU = mtu
        }
        let late = TestPackets.ipv6(
            NAT64Bench.client, NAT64Bench.server6, next: 44,
            [17, 0] + TestPackets.word(8000) + [0, 0, 0, 1] + [UInt8](repeating: 6, count: 8000))
        #expect(bench.send(late) == (waits ? .held : .drop(.fragmentLimit)))
    }

    @Test
    func `do not wait for ever, nor without limit`() {
        var bench = NAT64Bench { $0.maximumHeldFragments = 4 }
        let results = (0..<6).map { bench.send(fragments6($0)[1]) }
        #expect(results.filter { $0 == .held }.count == 4)
        #expect(results.filter { $0 == .drop(.fragmentLimit) }.count == 2)
        #expect(bench.wait(seconds: 3) == [])
        #expect(bench.nat.counters.drops(.fragmentTimeout) == 4)
        #expect(bench.send(fragments6(7)[1]) == .held)
        // A first fragment that comes too late for the others opens its session all the same.
        #expect(bench.send(fragments6(0)[0]).packet != nil)
        #expect(bench.wait(seconds: 0) == [])
    }

    @Test
    func `come back to the client`() {
        var bench = NAT64Bench()
        _ = bench.send(NAT64Bench.udp6(40000))
        let datagram = TestPackets.udp(
            NAT64Bench.server, NAT64Bench.pool, (53, 40000), [UInt8](repeating: 6, count: 992))
        let late = TestPackets.ipv4(
            NAT64Bench.server, NAT64Bench.pool, proto: 17, Array(datagram[496...]), id: 5, flagsAndOffset: 62)
        let first = TestPackets.ipv4(
            NAT64Bench.server, NAT64Bench.pool, proto: 17, Array(datagram[..<496]), id: 5, flagsAndOffset: 0x2000)
        #expect(bench.send(late) == .held)
        let results = [bench.send(first)] + bench.wait(seconds: 0)
        let whole = results.compactMap(\.packet).flatMap { $0[48...] }
        #expect(
            whole
                == TestPackets.udp(
                    NAT64Bench.server6, NAT64Bench.client, (53, 40000), [UInt8](repeating: 6, count: 992)))
    }

    /// A datagram of 3,000 bytes of a server, without a checksum, in three fragments; its length, as UDP tells it, may be wrong.
    private func unsummed(_ id: Int = 6, length: Int? = nil) -> [[UInt8]] {
        var datagram = TestPackets.udp(NAT64Bench.server, NAT64Bench.pool, (53, 40000), Self.data)
        datagram.replaceSubrange(4..<8, with: TestPackets.word(length ?? datagram.count) + [0, 0])
        return [0..<1480, 1480..<2960, 2960..<datagram.count].map { part in
            let word = part.lowerBound / 8 | (part.upperBound < datagram.count ? 0x2000 : 0)
            return TestPackets.ipv4(
                NAT64Bench.server, NAT64Bench.pool, proto: 17, Array(datagram[part]), id: id, flagsAndOffset: word)
        }
    }

    private static let data = (0..<2993).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 0, 2, 2, 1]])
    func `of a datagram without a checksum wait for all others, and get one`(order: [Int]) {
        var bench = NAT64Bench { $0.options.lowestIPv6MTU = 1500 }
        _ = bench.send(NAT64Bench.udp6(40000))
        let parts = unsummed()
        var results: [Result] = []
        for index in order {
            #expect(results.isEmpty, "something left before all had come")
            #expect(bench.send(parts[index]) == .held)
            results = bench.wait(seconds: 0)
        }
        // Those that came twice leave twice.
        let pieces = Dictionary(results.flatMap(\.pieces).map { (Int($0[42]) << 8 | Int($0[43]) & 0xF8, $0) }) { $1 }
        let whole = pieces.sorted { $0.key < $1.key }.flatMap { $0.value[48...] }
        #expect(
            whole == TestPackets.udp(NAT64Bench.server6, NAT64Bench.client, (53, 40000), Self.data))
    }

    /// Identifications come round, and so may the first fragment itself.
    @Test
    func `of a datagram without a checksum wait also after another one of their identification`() {
        var bench = NAT64Bench { $0.options.lowestIPv6MTU = 1500 }
        _ = bench.send(NAT64Bench.udp6(40000))
        for _ in 0..<2 {
            #expect(unsummed().map { bench.send($0) } == [.held, .held, .held])
            #expect(bench.wait(seconds: 0).flatMap(\.pieces).count == 5)
        }
        // One that has a checksum takes those with it that wait for a first one, and leaves the one that lacks its own.
        #expect(bench.send(unsummed()[0]) == .held)
        var datagram = TestPackets.udp(NAT64Bench.server, NAT64Bench.pool, (53, 40000), Self.data)
        datagram.removeLast(datagram.count - 1480)
        let first = TestPackets.ipv4(
            NAT64Bench.server, NAT64Bench.pool, proto: 17, datagram, id: 6, flagsAndOffset: 0x2000)
        #expect(bench.send(first).pieces.count == 2)
        #expect(bench.wait(seconds: 1) == [])
        #expect(bench.wait(seconds: 2) == [])
        #expect(bench.nat.counters.drops(.fragmentTimeout) == 1)
    }

    @Test
    func `of a datagram without a checksum go nowhere where one is missing, or its length is wrong`() {
        var bench = NAT64Bench()
        _ = bench.send(NAT64Bench.udp6(40000))
        #expect(unsummed()[..<2].map { bench.send($0) } == [.held, .held])
        #expect(unsummed(7, length: 900).map { bench.send($0) } == [.held, .held, .held])
        #expect(bench.wait(seconds: 3) == [])
        #expect(bench.nat.counters.drops(.fragmentTimeout) == 5)
        var dropping = NAT64Bench { $0.options.makesUDPChecksums = false }
        _ = dropping.send(NAT64Bench.udp6(40000))
        guard case .reply(_, .zeroChecksum) = dropping.send(unsummed()[0]) else {
            Issue.record("a datagram without a checksum was not refused")
            return
        }
    }
}
