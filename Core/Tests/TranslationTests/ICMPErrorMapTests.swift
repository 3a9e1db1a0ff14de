import Testing
import Translation

/// Every type and code of both families, beside the tables of RFC 7915 §4.2 and §5.2.
struct `What an ICMP error says` {
    /// The packet that an IPv4 router says something about.
    private let quoted4 = TestPackets.ipv4(
        Net.host6AsIPv4, Net.host4, proto: 17, TestPackets.udp(Net.host6AsIPv4, Net.host4, (1, 2), [7]), ttl: 5)
    private let quoted4AsIPv6 = TestPackets.ipv6(
        Net.host6, Net.host4AsIPv6, next: 17, TestPackets.udp(Net.host6, Net.host4AsIPv6, (1, 2), [7]), hops: 5)
    /// The packet that an IPv6 host says something about.
    private let quoted6 = TestPackets.ipv6(
        Net.host4AsIPv6, Net.host6, next: 17, TestPackets.udp(Net.host4AsIPv6, Net.host6, (1, 2), [7]), hops: 5)
    private let quoted6AsIPv4 = TestPackets.ipv4(
        Net.host4, Net.host6AsIPv4, proto: 17, TestPackets.udp(Net.host4, Net.host6AsIPv4, (1, 2), [7]), ttl: 5)

    private func toIPv6(_ type: UInt8, _ code: UInt8, _ rest: [UInt8]) -> Result {
        var translator = Net.translator()
        let message = TestPackets.icmpv4(type, code, rest, quoted4)
        return translator.result(TestPackets.ipv4(Net.host4, Net.host6AsIPv4, proto: 1, message))
    }

    private func ipv6(_ type: UInt8, _ code: UInt8, _ rest: [UInt8]) -> Result {
        let message = TestPackets.icmpv6(Net.host4AsIPv6, Net.host6, type, code, rest, quoted4AsIPv6)
        return .forward(TestPackets.ipv6(Net.host4AsIPv6, Net.host6, next: 58, message, hops: 63))
    }

    private func toIPv4(_ type: UInt8, _ code: UInt8, _ rest: [UInt8], from source: String = Net.host6) -> [UInt8] {
        let message = TestPackets.icmpv6(source, Net.host4AsIPv6, type, code, rest, quoted6)
        return TestPackets.ipv6(source, Net.host4AsIPv6, next: 58, message)
    }

    private func ipv4(_ type: UInt8, _ code: UInt8, _ rest: [UInt8], from source: String = Net.host6AsIPv4) -> Result {
        let message = TestPackets.icmpv4(type, code, rest, quoted6AsIPv4)
        return .forward(TestPackets.ipv4(source, Net.host4, proto: 1, message, ttl: 63))
    }

    @Test
    func `in IPv4 it says in IPv6, or nothing`() {
        let noRoute: [UInt8] = [0, 1, 5, 6, 7, 8, 11, 12]
        let prohibited: [UInt8] = [9, 10, 13, 15]
        for type in UInt8.min...UInt8.max where type != 0 && type != 8 {
            for code in UInt8(0)...16 {
                let expected: Result
                switch (type, code) {
                case (3, 2): expected = ipv6(4, 1, [0, 0, 0, 6])
                case (3, 3): expected = ipv6(1, 4, [0, 0, 0, 0])
                case (3, 4): expected = ipv6(2, 0, [0, 0, 0x05, 0x8C])
                case (3, _) where noRoute.contains(code): expected = ipv6(1, 0, [0, 0, 0, 0])
                case (3, _) where prohibited.contains(code): expected = ipv6(1, 1, [0, 0, 0, 0])
                case (11, _): expected = ipv6(3, code, [0, 0, 0, 0])
                case (12, 0), (12, 2): expected = ipv6(4, 0, [0, 0, 0, 0])
                default: expected = .drop(.unsupportedICMP)
                }
                #expect(toIPv6(type, code, [0, 0, 0x05, 0x78]) == expected, "type \(type), code \(code)")
            }
        }
    }

    @Test
    func `in IPv6 it says in IPv4, or nothing`() {
        for type in UInt8.min...UInt8.max where type != 128 && type != 129 {
            for code in UInt8(0)...8 {
                let expected: Result
                switch (type, code) {
                case (1, 0), (1, 2), (1, 3): expected = ipv4(3, 1, [0, 0, 0, 0])
                case (1, 1): expected = ipv4(3, 10, [0, 0, 0, 0])
                case (1, 4): expected = ipv4(3, 3, [0, 0, 0, 0])
                case (2, _): expected = ipv4(3, 4, [0, 0, 0, 68])
                case (3, _): expected = ipv4(11, code, [0, 0, 0, 0])
                case (4, 0): expected = ipv4(12, 0, [0, 0, 0, 0])
                case (4, 1): expected = ipv4(3, 2, [0, 0, 0, 0])
                default: expected = .drop(.unsupportedICMP)
                }
                var translator = Net.translator()
                #expect(
                    translator.result(toIPv4(type, code, [0, 0, 0, 0])) == expected, "type \(type), code \(code)")
            }
        }
    }

    @Test
    func `points to the same field in the other header, or to none`() {
        let ipv6Places: [Int: UInt8] = [
            0: 0, 1: 1, 2: 4, 3: 4, 8: 7, 9: 6, 12: 8, 13: 8, 14: 8, 15: 8, 16: 24, 17: 24, 18: 24, 19: 24,
        ]
        for pointer in 0...255 {
            let expected = ipv6Places[pointer].map { ipv6(4, 0, [0, 0, 0, $0]) } ?? .drop(.unsupportedICMP)
            #expect(toIPv6(12, 0, [UInt8(pointer), 0, 0, 0]) == expected, "pointer \(pointer)")
        }
        for pointer in 0...300 {
            let place: UInt8? =
                switch pointer {
                case 0, 1: UInt8(pointer)
                case 4, 5: 2
                case 6: 9
                case 7: 8
                case 8...23: 12
                case 24...39: 16
                default: nil
                }
            let expected = place.map { ipv4(12, 0, [$0, 0, 0, 0]) } ?? .drop(.unsupportedICMP)
            var translator = Net.translator()
            let rest = [0, 0] + TestPackets.word(pointer)
            #expect(translator.result(toIPv4(4, 0, rest)) == expected, "pointer \(pointer)")
        }
    }

    @Test(arguments: [
        // What is told, the MTUs of the links to IPv4 and IPv6, and what is told then (RFC 7915 §5.2).
        (1500, 1500, 1500, 1480), (1400, 1500, 1500, 1380), (9000, 1500, 9000, 1500), (9000, 9000, 1500, 1480),
        (1280, 1500, 1500, 1260), (0, 1500, 1500, 68),
    ])
    func `of a packet too big is twenty bytes less in IPv4`(told: Int, mtu4: Int, mtu6: Int, expected: Int) {
        var translator = Net.translator {
            $0.ipv4MTU = mtu4
            $0.ipv6MTU = mtu6
        }
        let result = translator.result(toIPv4(2, 0, [0, 0] + TestPackets.word(told)))
        #expect(result == ipv4(3, 4, [0, 0] + TestPackets.word(expected)))
    }

    @Test
    func `comes from the translator where its router has no IPv4 address`() {
        let packet = toIPv4(3, 0, [0, 0, 0, 0], from: "2001:db8:ffff::1")
        var translator = Net.translator()
        #expect(translator.result(packet) == ipv4(11, 0, [0, 0, 0, 0], from: Net.own4))
        var nameless = Net.translator { $0.routerIPv4Address = nil }
        #expect(nameless.result(packet) == .drop(.unmappedSource))
        #expect(nameless.counters.drops(.unmappedSource) == 1)
    }

    @Test
    func `is not answered by another one, and later fragments are not either`() {
        var translator = Net.translator()
        let error4 = TestPackets.icmpv4(3, 3, [0, 0, 0, 0], quoted4)
        var expired = TestPackets.ipv4(Net.host4, Net.host6AsIPv4, proto: 1, error4, ttl: 1)
        #expect(translator.result(expired) == .drop(.hopLimit))
        expired = toIPv4(3, 0, [0, 0, 0, 0])
        expired[7] = 1
        #expect(translator.result(expired) == .drop(.hopLimit))
        let later4 = TestPackets.ipv4(Net.host4, Net.host6AsIPv4, proto: 17, [1, 2, 3], ttl: 1, flagsAndOffset: 10)
        #expect(translator.result(later4) == .drop(.hopLimit))
        let fragment: [UInt8] = [17, 0, 0, 80, 0, 0, 0, 9, 1, 2, 3]
        let later6 = TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: 44, fragment, hops: 1)
        #expect(translator.result(later6) == .drop(.hopLimit))
        #expect(translator.counters.drops(.hopLimit) == 4)
        #expect(translator.counters.replies == 0)
    }
}
