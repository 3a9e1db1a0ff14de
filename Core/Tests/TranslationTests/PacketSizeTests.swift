import Testing
import Translation

/// Which packets are fragments, and which may become such, on both sides of each limit (RFC 7915 §4, §4.1, §5, §5.1).
struct `The length of a packet` {
    /// A TCP segment whose packet has so many bytes in IPv4.
    private func packet4(_ length: Int, id: Int = 1234, flagsAndOffset: Int) -> [UInt8] {
        let segment = TestPackets.tcp(
            Net.host4, Net.host6AsIPv4, (443, 50000), [UInt8](repeating: 7, count: length - 40))
        return TestPackets.ipv4(
            Net.host4, Net.host6AsIPv4, proto: 6, segment, id: id, flagsAndOffset: flagsAndOffset)
    }

    private func packet6(_ length: Int) -> [UInt8] {
        let segment = TestPackets.tcp(
            Net.host6, Net.host4AsIPv6, (50000, 443), [UInt8](repeating: 7, count: length - 60))
        return TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: 6, segment)
    }

    /// The place, the word of offset and flag, and the identification of a fragment header.
    private func fragment(_ packet: [UInt8]) -> [UInt8]? { packet[6] == 44 ? Array(packet[42..<48]) : nil }

    @Test(arguments: [
        (1260, 0x4000, 1280), (1260, 0, 1280), (1261, 0x4000, 1281), (1480, 0x4000, 1500),
    ])
    func `gets no fragment header where none is needed`(length4: Int, flags: Int, length6: Int) {
        var translator = Net.translator()
        let packet = translator.result(packet4(length4, flagsAndOffset: flags)).packet
        #expect(packet?.count == length6 && packet.flatMap(fragment) == nil)
    }

    @Test(arguments: [(1500, 1480), (1280, 1260), (1400, 1380)])
    func `is told to hosts that forbid fragments`(mtu6: Int, told: Int) {
        var translator = Net.translator { $0.ipv6MTU = mtu6 }
        #expect(translator.result(packet4(told, flagsAndOffset: 0x4000)).packet?.count == mtu6)
        guard case .reply(let error, .tooBig) = translator.result(packet4(told + 1, flagsAndOffset: 0x4000)) else {
            Issue.record("a packet of \(told + 1) bytes went through")
            return
        }
        #expect(Array(error[20..<22] + error[24..<28]) == [3, 4, 0, 0] + TestPackets.word(told))
        // A fragment has eight bytes more.
        guard
            case .reply(let other, .tooBig) = translator.result(
                packet4((told + 19) / 8 * 8 + 4, flagsAndOffset: 0x6000))
        else {
            Issue.record("a fragment that may not be cut went through")
            return
        }
        #expect(Array(other[26..<28]) == TestPackets.word(told - 8))
    }

    @Test(arguments: [
        // The longest that others may be cut to, and what comes of a packet one byte too long, or a fragment.
        (1280, 1261, 0, [(0, 1232, true), (1232, 9, false)]), (1400, 1381, 0, [(0, 1352, true), (1352, 9, false)]),
        (1280, 1268, 0x2000, [(0, 1232, true), (1232, 16, true)]), (1280, 1252, 0x2000, [(0, 1232, true)]),
        (1280, 1252, 0x6000, [(0, 1232, true)]), (1280, 1252, 0x2001, [(8, 1232, true)]),
        (1280, 1253, 0x0001, [(8, 1232, true), (1240, 1, false)]),
    ])
    func `is cut to what every link takes, and keeps its identification`(
        lowest: Int, length: Int, flagsAndOffset: Int, expected: [(offset: Int, count: Int, hasMore: Bool)]
    ) {
        var translator = Net.translator { $0.lowestIPv6MTU = lowest }
        let pieces: [[UInt8]]
        switch translator.result(packet4(length, flagsAndOffset: flagsAndOffset)) {
        case .forward(let packet): pieces = [packet]
        case .fragments(let packets): pieces = packets
        case let other:
            Issue.record("\(other)")
            return
        }
        let headers = expected.map { TestPackets.word($0.offset | ($0.hasMore ? 1 : 0)) + [0, 0, 0x04, 0xD2] }
        #expect(pieces.map(fragment) == headers)
        #expect(pieces.map(\.count) == expected.map { 48 + $0.count })
    }

    @Test(arguments: [(1280, false), (1281, true), (1500, true)])
    func `beyond 1280 bytes forbids fragments in IPv4`(length6: Int, isForbidden: Bool) {
        var translator = Net.translator()
        let packet = translator.result(packet6(length6)).packet
        #expect(packet?.count == length6 - 20)
        #expect(packet.map { $0[6] } == (isForbidden ? 0x40 : 0))
    }

    @Test(arguments: [(1239, 0x0280, false), (1240, 0x0281, true), (1440, 0x0281, true)])
    func `of a fragment lets it be cut in IPv4, whatever it is`(count: Int, word: Int, hasMore: Bool) {
        var translator = Net.translator()
        let header: [UInt8] = [6, 0] + TestPackets.word(word) + [1, 2, 4, 8]
        let fragment = TestPackets.ipv6(
            Net.host6, Net.host4AsIPv6, next: 44, header + [UInt8](repeating: 7, count: count))
        let expected = TestPackets.ipv4(
            Net.host6AsIPv4, Net.host4, proto: 6, [UInt8](repeating: 7, count: count), ttl: 63, id: 0x0408,
            flagsAndOffset: 80 | (hasMore ? 0x2000 : 0))
        #expect(translator.result(fragment) == .forward(expected))
    }

    @Test
    func `is told to IPv6 hosts where the IPv4 link is smaller`() {
        var translator = Net.translator { $0.ipv4MTU = 1400 }
        #expect(translator.result(packet6(1420)).packet?.count == 1400)
        guard case .reply(let error, .tooBig) = translator.result(packet6(1421)) else {
            Issue.record("a packet of 1421 bytes went through")
            return
        }
        #expect(Array(error[40..<42] + error[44..<48]) == [2, 0, 0, 0] + TestPackets.word(1420))
        #expect(error.count == 1280)
    }
}

/// Every number that a header may say follows it (RFC 7915 §4.5, §5.5: all are forwarded).
struct `A transport` {
    private let payload: [UInt8] = (0..<40).map { $0 &* 7 &+ 3 }

    @Test(arguments: UInt8.min...UInt8.max)
    func `that nobody knows goes through unchanged, also an empty one`(number: UInt8) {
        // ICMP of both families and IGMP are no transports, and those with checksums have tests of their own.
        if [1, 2, 6, 17, 33, 58, 136].contains(number) { return }
        for payload in [payload, []] {
            var translator = Net.translator()
            let there = TestPackets.ipv4(Net.host4, Net.host6AsIPv4, proto: number, payload)
            let expected6 = TestPackets.ipv6(Net.host4AsIPv6, Net.host6, next: number, payload, hops: 63)
            #expect(translator.result(there) == .forward(expected6))
            // In IPv6 some numbers are those of headers that are left out.
            if [0, 43, 44, 60].contains(number) { continue }
            let back = TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: number, payload)
            let expected4 = TestPackets.ipv4(Net.host6AsIPv4, Net.host4, proto: number, payload, ttl: 63)
            #expect(translator.result(back) == .forward(expected4))
        }
    }
}
