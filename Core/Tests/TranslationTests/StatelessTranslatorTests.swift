import Addresses
import TestSupport
import Testing
import Translation

struct `Stateless translation` {
    /// A packet pair, byte by byte: a DNS query from the IPv6 host to the IPv4 host.
    private let query6: [UInt8] = [
        0x6B, 0x80, 0x00, 0x00,  // version 6, traffic class 0xB8, no flow label
        0x00, 0x0C, 0x11, 0x40,  // 12 bytes, UDP, 64 hops
        0x20, 0x01, 0x0D, 0xB8, 0x00, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,  // 2001:db8:1::10
        0x20, 0x01, 0x0D, 0xB8, 0x00, 0x64, 0, 0, 0, 0, 0, 0, 0xC0, 0x00, 0x02, 0x21,  // 2001:db8:64::192.0.2.33
        0x9C, 0x40, 0x00, 0x35,  // port 40000 to port 53
        0x00, 0x0C, 0xA7, 0xBA,  // 12 bytes, checksum
        0xDE, 0xAD, 0xBE, 0xEF,
    ]
    private let query4: [UInt8] = [
        0x45, 0xB8, 0x00, 0x20,  // version 4, type of service 0xB8, 32 bytes
        0x00, 0x07, 0x00, 0x00,  // identification 7, may be fragmented
        0x3F, 0x11, 0x8E, 0xAF,  // 63 hops, UDP, checksum
        0xC6, 0x33, 0x64, 0x0A,  // 198.51.100.10
        0xC0, 0x00, 0x02, 0x21,  // 192.0.2.33
        0x9C, 0x40, 0x00, 0x35,  // the ports as they were
        0x00, 0x0C, 0xD9, 0x63,  // the checksum over the new addresses
        0xDE, 0xAD, 0xBE, 0xEF,
    ]

    @Test
    func `of a query gives the query of the other family bit for bit`() {
        #expect(TestPackets.hasRightChecksums(query6))
        #expect(TestPackets.hasRightChecksums(query4))
        var translator = StatelessTranslator(
            mapper: Net.translator().mapper, options: Net.options(), identification: 7)
        #expect(translator.result(query6) == .forward(query4))
        #expect(translator.counters.packets(to: .ipv4) == 1)
        #expect(translator.counters.bytes(to: .ipv4) == 32)
    }

    /// A random packet of the IPv4 host that survives the way there and back.
    private func packet4(_ generator: inout SeededGenerator) -> [UInt8] {
        let data = (0..<Int.random(in: 0...1100, using: &generator)).map { _ in
            UInt8.random(in: 0...(.max), using: &generator)
        }
        let (from, to) = (Net.host4, Net.host6AsIPv4)
        let ports = (Int.random(in: 0...65535, using: &generator), Int.random(in: 0...65535, using: &generator))
        let quoted = TestPackets.ipv4(to, from, proto: 17, TestPackets.udp(to, from, ports, data), ttl: 9)
        let body: (UInt8, [UInt8])
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: body = (17, TestPackets.udp(from, to, ports, data))
        case 1: body = (6, TestPackets.tcp(from, to, ports, data))
        case 2: body = (1, TestPackets.icmpv4(8, 0, TestPackets.word(ports.0) + TestPackets.word(1), data))
        case 3: body = (1, TestPackets.icmpv4(0, 0, TestPackets.word(ports.0) + TestPackets.word(1), data))
        case 4: body = (1, TestPackets.icmpv4(3, 3, [0, 0, 0, 0], quoted))
        default: body = (132, data)
        }
        return TestPackets.ipv4(
            from, to, proto: body.0, body.1, ttl: .random(in: 3...255, using: &generator),
            tos: .random(in: 0...255, using: &generator))
    }

    @Test(arguments: UInt64(1)...8)
    func `there and back gives the packet, two hops later`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var there = Net.translator()
        for _ in 0..<300 {
            let packet = packet4(&generator)
            guard let middle = there.result(packet).packet else {
                Issue.record("seed \(seed): \(there.result(packet)) for \(packet)")
                return
            }
            #expect(middle.count == packet.count + (packet[9] == 1 && packet[20] == 3 ? 40 : 20), "seed \(seed)")
            #expect(TestPackets.hasRightChecksums(middle), "seed \(seed): \(packet) became \(middle)")
            // A new translator gives the identification that the packet had: none.
            var back = Net.translator()
            let expected = TestPackets.ipv4(
                Net.host4, Net.host6AsIPv4, proto: packet[9], Array(packet[20...]), ttl: packet[8] - 2, tos: packet[1],
                flagsAndOffset: packet.count > 1260 ? 0x4000 : 0)
            guard back.result(middle) == .forward(expected) else {
                Issue.record("seed \(seed): \(packet) came back as \(back.result(middle))")
                return
            }
        }
    }

    @Test(arguments: [
        (9, false),  // UDP and its header cut in the middle, in a whole IP packet
        (7, true),
    ])
    func `of fragments copies offset, flag and identification`(identification: Int, isLast: Bool) {
        var translator = Net.translator()
        let datagram4 = TestPackets.udp(Net.host4, Net.host6AsIPv4, (1, 2), [UInt8](repeating: 5, count: 992))
        let datagram6 = TestPackets.udp(Net.host4AsIPv6, Net.host6, (1, 2), [UInt8](repeating: 5, count: 992))
        let slice = isLast ? 496..<1000 : 0..<496
        let packet = TestPackets.ipv4(
            Net.host4, Net.host6AsIPv4, proto: 17, Array(datagram4[slice]), id: identification,
            flagsAndOffset: isLast ? 62 : 0x2000)
        let fragment: [UInt8] = [17, 0] + TestPackets.word(isLast ? 62 << 3 : 1) + [0, 0, 0, UInt8(identification)]
        let expected = TestPackets.ipv6(
            Net.host4AsIPv6, Net.host6, next: 44, fragment + datagram6[slice], hops: 63)
        #expect(translator.result(packet) == .forward(expected))
    }

    @Test(arguments: [UInt8(6), 17, 33, 136])
    func `keeps the checksum of every transport that has addresses in it`(proto: UInt8) {
        // TCP, UDP, DCCP and UDP-Lite, with a checksum that comes out as zero in none of both families.
        func transport(_ source: String, _ destination: String) -> [UInt8] {
            TestPackets.transport(
                source, destination, proto: proto, checksumAt: proto == 6 ? 16 : 6,
                [0, 1, 0, 2, 0, 24, 0, 0] + [UInt8](repeating: 0x5A, count: 16))
        }
        let packet4 = TestPackets.ipv4(
            Net.host4, Net.host6AsIPv4, proto: proto, transport(Net.host4, Net.host6AsIPv4), ttl: 9)
        let packet6 = TestPackets.ipv6(
            Net.host4AsIPv6, Net.host6, next: proto, transport(Net.host4AsIPv6, Net.host6), hops: 8)
        var translator = Net.translator()
        #expect(translator.result(packet4) == .forward(packet6))
        let back6 = TestPackets.ipv6(
            Net.host6, Net.host4AsIPv6, next: proto, transport(Net.host6, Net.host4AsIPv6), hops: 9)
        let back4 = TestPackets.ipv4(
            Net.host6AsIPv4, Net.host4, proto: proto, transport(Net.host6AsIPv4, Net.host4), ttl: 8)
        #expect(translator.result(back6) == .forward(back4))
    }

    @Test(arguments: [UInt8(17), 136])
    func `writes a checksum of zero in its other form, and makes none where there was none`(proto: UInt8) throws {
        // UDP (RFC 768) and UDP-Lite (RFC 3828).
        var translator = Net.translator()
        func translated(_ checksum: UInt16) throws -> UInt16 {
            let transport: [UInt8] = [0, 1, 0, 2, 0, 12] + TestPackets.word(Int(checksum)) + [1, 2, 3, 4]
            let packet = TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: proto, transport)
            var result: [UInt8]?
            if case .forward(let forwarded) = translator.result(packet) { result = forwarded }
            let bytes = try #require(result)
            return UInt16(bytes[26]) << 8 | UInt16(bytes[27])
        }
        // The sums are ones' complements: what comes of 1 is lacking to zero.
        let sum = UInt32(~UInt16(1)) + UInt32(try translated(1))
        #expect(try translated(~UInt16((sum & 0xFFFF) + sum >> 16)) == 0xFFFF)
        #expect(try translated(0) == 0)
    }

    @Test(arguments: [
        // An address that nobody has, one of an explicit mapping inside the prefix, and its neighbour.
        ("2001:db8:64::203.0.113.7", Net.host4AsIPv6, false, false), ("2001:db8:64::1", Net.host4AsIPv6, false, true),
        ("2001:db8:64::2", Net.host4AsIPv6, false, false), ("2001:db8:64::203.0.113.7", Net.host4AsIPv6, true, true),
        // A translator before this one has embedded the source (RFC 7756).
        ("2001:db8:64::203.0.113.7", Net.host6, false, true),
    ])
    func `takes nothing from one IPv4 host to another`(
        source: String, destination: String, hostsAreEmbedded: Bool, passes: Bool
    ) {
        let pairs = [("\(Net.host6AsIPv4)/32", "\(Net.host6)/128"), ("198.51.100.11/32", "2001:db8:64::1/128")]
        let mapper = AddressMapper(
            explicit: pairs.compactMap { ExplicitAddressMapping(ipv4: Net.prefix($0.0), ipv6: Net.prefix($0.1)) },
            prefix: Net.prefix, hostsAreEmbedded: hostsAreEmbedded)
        var translator = StatelessTranslator(mapper: mapper, options: Net.options())
        let udp = TestPackets.udp(source, destination, (1, 2), [])
        let result = translator.result(TestPackets.ipv6(source, destination, next: 17, udp))
        #expect(passes ? result.packet != nil : result == .drop(.loop))
        #expect(translator.counters.drops(.loop) == (passes ? 0 : 1))
    }

    @Test
    func `leaves the type of service behind where it is told to`() {
        var translator = Net.translator { $0.copiesTrafficClass = false }
        let query = translator.result(query6).packet
        #expect(query?[1] == 0)
        let packet = TestPackets.ipv4(
            Net.host4, Net.host6AsIPv4, proto: 17, TestPackets.udp(Net.host4, Net.host6AsIPv4, (1, 2), []), tos: 0xFF)
        #expect(translator.result(packet).packet.map { Array($0[..<4]) } == [0x60, 0, 0, 0])
    }

    @Test(arguments: [(0, true), (1, false)])
    func `takes no packet that wants to visit other hosts first`(segmentsLeft: UInt8, passes: Bool) {
        var translator = Net.translator()
        let udp = TestPackets.udp(Net.host6, Net.host4AsIPv6, (1, 2), [])
        let route = [17, 2, 0, segmentsLeft, 0, 0, 0, 0] + TestPackets.address("2001:db8::7")
        let result = translator.result(
            TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: 43, route + udp))
        guard !passes else { return #expect(result.packet?.count == 28) }
        guard case .reply(let error, .sourceRoute) = result else {
            Issue.record("a routing header with a host left got \(result)")
            return
        }
        // A parameter problem, that points to the number of the segments left.
        #expect(Array(error[40..<42] + error[44..<48]) == [4, 0, 0, 0, 0, 43])
    }

    @Test
    func `makes UDP checksums only where policy allows`() {
        var datagram = TestPackets.udp(Net.host4, Net.host6AsIPv4, (1, 2), [1, 2, 3])
        datagram.replaceSubrange(6..<8, with: [0, 0])
        let packet = TestPackets.ipv4(Net.host4, Net.host6AsIPv4, proto: 17, datagram)
        var making = Net.translator()
        let made = making.result(packet).packet
        #expect(made.map(TestPackets.hasRightChecksums) == true)
        var dropping = Net.translator { $0.makesUDPChecksums = false }
        #expect(dropping.result(packet).packet == nil)
        #expect(dropping.counters.drops(.zeroChecksum) == 1)
    }

    @Test(arguments: [
        ("127.0.0.1", Net.host6AsIPv4, DropReason.illegalSource),
        ("224.0.0.5", Net.host6AsIPv4, .illegalSource),
        ("0.0.0.0", Net.host6AsIPv4, .illegalSource),
        ("255.255.255.255", Net.host6AsIPv4, .illegalSource),
        (Net.host4, "224.0.0.5", .illegalDestination),
        (Net.host4, "255.255.255.255", .illegalDestination),
    ])
    func `drops addresses that may not travel without a word`(source: String, destination: String, reason: DropReason) {
        var translator = Net.translator()
        let packet = TestPackets.ipv4(source, destination, proto: 17, TestPackets.udp(source, destination, (1, 2), []))
        #expect(translator.result(packet) == .drop(reason))
        #expect(translator.counters.drops(reason) == 1)
        #expect(translator.counters.replies == 0)
    }

    @Test(arguments: [
        ("ff02::1", Net.host4AsIPv6, DropReason.illegalSource), ("::1", Net.host4AsIPv6, .illegalSource),
        ("::", Net.host4AsIPv6, .illegalSource), ("fe80::1", Net.host4AsIPv6, .illegalSource),
        (Net.host6, "ff02::1", .illegalDestination),
        (Net.host6, "2001:db8:64::224.0.0.1", .illegalDestination),  // a multicast group inside the prefix
        (Net.host6, "2001:db8:64::127.0.0.1", .illegalDestination),
    ])
    func `drops IPv6 addresses that may not travel`(source: String, destination: String, reason: DropReason) {
        var translator = Net.translator()
        let packet = TestPackets.ipv6(
            source, destination, next: 17, TestPackets.udp(source, destination, (1, 2), []))
        #expect(translator.result(packet) == .drop(reason))
    }

    @Test
    func `leaves checksums and segments to a device that has left them to us`() {
        var translator = Net.translator()
        // A super-packet of three segments, whose checksum field holds the sum of the pseudo-header.
        var segment = TestPackets.tcp(Net.host6, Net.host4AsIPv6, (1, 2), [UInt8](repeating: 1, count: 4000))
        func pseudo(_ source: String, _ destination: String) -> [UInt8] {
            let bytes = TestPackets.address(source) + TestPackets.address(destination)
            return TestPackets.word(~TestPackets.checksum(bytes + TestPackets.word(segment.count) + [0, 6]) & 0xFFFF)
        }
        segment.replaceSubrange(16..<18, with: pseudo(Net.host6, Net.host4AsIPv6))
        let packet = TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: 6, segment)
        segment.replaceSubrange(16..<18, with: pseudo(Net.host6AsIPv4, Net.host4))
        let expected = TestPackets.ipv4(
            Net.host6AsIPv4, Net.host4, proto: 6, segment, ttl: 63, flagsAndOffset: 0x4000)
        let offload = PacketOffload(hasPartialChecksum: true, segmentLength: 1420)
        #expect(translator.result(packet, offload: offload) == .forward(expected))
        let long = PacketOffload(hasPartialChecksum: true, segmentLength: 1500)
        guard case .reply(_, .tooBig) = translator.result(packet, offload: long) else {
            Issue.record("a segment of 1520 bytes went through a link of 1500")
            return
        }
    }

    @Test
    func `makes segments shorter that are too long for IPv6 and may be cut`() {
        var translator = Net.translator()
        let data = [UInt8](repeating: 1, count: 4000)
        let segment = TestPackets.tcp(Net.host4, Net.host6AsIPv4, (1, 2), data)
        func result(_ length: Int, flagsAndOffset: Int = 0) -> Result {
            translator.result(
                TestPackets.ipv4(Net.host4, Net.host6AsIPv4, proto: 6, segment, flagsAndOffset: flagsAndOffset),
                offload: PacketOffload(segmentLength: length))
        }
        let expected = TestPackets.ipv6(
            Net.host4AsIPv6, Net.host6, next: 6, TestPackets.tcp(Net.host4AsIPv6, Net.host6, (1, 2), data), hops: 63)
        #expect(result(1240) == .forward(expected))
        #expect(result(1241) == .segments(expected, length: 1240))
        #expect(result(1480) == .segments(expected, length: 1240))
        #expect(translator.counters.packets(to: .ipv6) == 3)
        // Who forbids fragments learns of the path; the link itself takes 1500 bytes.
        #expect(result(1460, flagsAndOffset: 0x4000) == .forward(expected))
        guard case .reply(_, .tooBig) = result(1461, flagsAndOffset: 0x4000) else {
            Issue.record("a segment of 1501 bytes went through a link of 1500")
            return
        }
    }

    @Test
    func `limits what it answers`() {
        var translator = Net.translator { $0.repliesPerSecond = 2 }
        let packet = TestPackets.ipv4(
            Net.host4, Net.host6AsIPv4, proto: 17, TestPackets.udp(Net.host4, Net.host6AsIPv4, (1, 2), []), ttl: 1)
        let results = (0..<5).map { _ in translator.result(packet, at: 1000) }
        #expect(results.filter { $0 == .drop(.hopLimit) }.count == 3)
        #expect(translator.counters.suppressedReplies == 3)
        #expect(translator.result(packet, at: 1400) == .drop(.hopLimit))
        guard case .reply = translator.result(packet, at: 1600) else {
            Issue.record("no answer half a second later")
            return
        }
    }
}
