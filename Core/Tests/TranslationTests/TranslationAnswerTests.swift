import Addresses
import Testing
import Translation

/// What senders hear of packets that are not translated (RFC 7915 §4.4, §5.4).
struct `Answers of a translator` {
    private func prohibited4(_ packet: [UInt8], _ reason: DropReason) -> Result {
        let error = TestPackets.icmpv4(3, 13, [0, 0, 0, 0], packet)
        return .reply(TestPackets.ipv4(Net.own4, Net.host4, proto: 1, error), reason)
    }

    private func prohibited6(_ packet: [UInt8], _ reason: DropReason) -> Result {
        let error = TestPackets.icmpv6(Net.own6, Net.host6, 1, 1, [0, 0, 0, 0], packet)
        return .reply(TestPackets.ipv6(Net.own6, Net.host6, next: 58, error), reason)
    }

    private func packet4(
        proto: UInt8, _ payload: [UInt8] = [UInt8](repeating: 8, count: 16), flagsAndOffset: Int = 0
    ) -> [UInt8] {
        TestPackets.ipv4(Net.host4, Net.host6AsIPv4, proto: proto, payload, flagsAndOffset: flagsAndOffset)
    }

    private func packet6(_ next: UInt8, _ payload: [UInt8]) -> [UInt8] {
        TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: next, payload)
    }

    @Test
    func `say that the other family's ICMP, and ICMP in fragments, is prohibited`() {
        var translator = Net.translator()
        let foreign4 = packet4(proto: 58)
        #expect(translator.result(foreign4) == prohibited4(foreign4, .unsupportedProtocol))
        let foreign6 = packet6(1, [8, 0, 0, 0, 0, 0, 0, 0])
        #expect(translator.result(foreign6) == prohibited6(foreign6, .unsupportedProtocol))
        let ping = TestPackets.icmpv4(8, 0, [0, 1, 0, 1], [UInt8](repeating: 1, count: 8))
        let first = packet4(proto: 1, ping, flagsAndOffset: 0x2000)
        #expect(translator.result(first) == prohibited4(first, .fragmentedICMP))
        // Not of a later fragment, nor of an error.
        #expect(translator.result(packet4(proto: 1, ping, flagsAndOffset: 2)) == .drop(.fragmentedICMP))
        let error = packet4(proto: 1, [3, 0] + ping[2...], flagsAndOffset: 0x2000)
        #expect(translator.result(error) == .drop(.fragmentedICMP))
        // Not to ICMPv6, as the RFC wants it, and not to IGMP, which goes no further than its link.
        let piece: [UInt8] = [58, 0, 0, 1, 0, 0, 0, 7, 128, 0, 0, 0, 0, 1, 0, 1]
        #expect(translator.result(packet6(44, piece)) == .drop(.fragmentedICMP))
        #expect(translator.result(packet4(proto: 2)) == .drop(.unsupportedProtocol))
    }

    @Test(arguments: [UInt8(0), 43, 44, 51, 60])
    func `say that headers behind a fragment header are prohibited`(next: UInt8) {
        var translator = Net.translator()
        let header: [UInt8] = [17, 0, 0, 0, 0, 0, 0, 0]
        let first = packet6(44, [next, 0, 0, 1, 0, 0, 0, 7] + header + [UInt8](repeating: 8, count: 8))
        let expected: Result =
            // A second fragment header is malformed, whatever it says.
            next == 44 ? .drop(.malformed) : prohibited6(first, .headerBehindFragment)
        #expect(translator.result(first) == expected)
        // What is encrypted is a transport like any other.
        let encrypted = packet6(44, [50, 0, 0, 1, 0, 0, 0, 7] + [UInt8](repeating: 8, count: 16))
        #expect(translator.result(encrypted).packet?[9] == 50)
        // All of an atomic fragment is there, so that its headers can be left out.
        let atomic = translator.result(packet6(44, [60, 0, 0, 0, 0, 0, 0, 7, 50, 0, 1, 4, 0, 0, 0, 0, 1, 2, 3])).packet
        #expect(atomic?[9] == 50 && atomic.map { Array($0[20...]) } == [1, 2, 3])
    }

    @Test
    func `say that UDP without a checksum is prohibited where it is`() {
        var datagram = TestPackets.udp(Net.host4, Net.host6AsIPv4, (1, 2), [UInt8](repeating: 3, count: 8))
        datagram.replaceSubrange(6..<8, with: [0, 0])
        let (whole, first) = (packet4(proto: 17, datagram), packet4(proto: 17, datagram, flagsAndOffset: 0x2000))
        var dropping = Net.translator { $0.makesUDPChecksums = false }
        #expect(dropping.result(whole) == prohibited4(whole, .zeroChecksum))
        var making = Net.translator()
        #expect(making.result(first) == prohibited4(first, .zeroChecksum))
    }
}

/// What routers of IPv4 say, whatever addresses they have (RFC 7915 §4.1, RFC 6052 §3.1).
struct `An ICMP error of a router` {
    private static let quoted = TestPackets.ipv4(
        NAT64Bench.pool, NAT64Bench.server, proto: 17,
        TestPackets.udp(NAT64Bench.pool, NAT64Bench.server, (40000, 53), [1, 2, 3]), ttl: 1)

    /// "Time exceeded" about a datagram of the client of the bench, whose public port is its own.
    private func error(from router: String, to destination: String = NAT64Bench.pool, _ quoted: [UInt8]) -> [UInt8] {
        TestPackets.ipv4(router, destination, proto: 1, TestPackets.icmpv4(11, 0, [0, 0, 0, 0], quoted))
    }

    private func source(_ result: Result) -> String? {
        result.packet.flatMap { IPAddress(bytes: $0[8..<24])?.description }
    }

    @Test(arguments: [
        ("169.254.0.1", "2001:db8:64::a9fe:1"), ("127.0.0.1", "2001:db8:64::7f00:1"), ("0.0.0.0", "2001:db8:64::"),
        ("10.0.0.1", "2001:db8:64::a00:1"), ("224.0.0.1", nil), ("255.255.255.255", nil),
    ])
    func `is heard though hosts may not have its address`(router: String, expected: String?) {
        var bench = NAT64Bench()
        _ = bench.send(NAT64Bench.udp6(40000))
        #expect(source(bench.send(error(from: router, Self.quoted))) == expected)
        var translator = Net.translator()
        let quoted = TestPackets.ipv4(
            Net.host6AsIPv4, Net.host4, proto: 17, TestPackets.udp(Net.host6AsIPv4, Net.host4, (1, 2), []))
        #expect(source(translator.result(error(from: router, to: Net.host6AsIPv4, quoted))) == expected)
    }

    @Test
    func `comes from the translator where the well-known prefix may not stand for it`() throws {
        let server = "8.8.8.8"
        var bench = NAT64Bench { $0.prefix = .wellKnown }
        _ = bench.send(NAT64Bench.udp6(40000, to: "64:ff9b::8.8.8.8"))
        let quoted = TestPackets.ipv4(
            NAT64Bench.pool, server, proto: 17, TestPackets.udp(NAT64Bench.pool, server, (40000, 53), [1, 2, 3]))
        #expect(source(bench.send(error(from: "10.0.0.1", quoted))) == Net.own6)
        #expect(source(bench.send(error(from: server, quoted))) == "64:ff9b::808:808")
        let pair = ExplicitAddressMapping(ipv4: Net.prefix("1.2.3.4/32"), ipv6: Net.prefix("\(Net.host6)/128"))
        var translator = StatelessTranslator(
            mapper: AddressMapper(explicit: [try #require(pair)], prefix: .wellKnown), options: Net.options())
        let other = TestPackets.ipv4("1.2.3.4", server, proto: 17, TestPackets.udp("1.2.3.4", server, (1, 2), []))
        #expect(source(translator.result(error(from: "10.0.0.1", to: "1.2.3.4", other))) == Net.own6)
    }

    @Test
    func `is the only packet from where the well-known prefix may not stand for it`() throws {
        let forward = PortForward(
            kind: .udp, publicAddress: try #require(IPv4Address(NAT64Bench.pool)), publicPort: 53,
            client: try #require(IPv6Address(NAT64Bench.client)), clientPort: 53)
        var bench = NAT64Bench {
            $0.prefix = .wellKnown
            $0.forwards = [forward]
        }
        #expect(bench.send(NAT64Bench.udp4(53, from: "10.0.0.5")) == .drop(.illegalSource))
        #expect(bench.send(NAT64Bench.udp4(53, from: "8.8.8.8")).packet != nil)
    }

    @Test
    func `is about a packet whose transport comes behind its options`() {
        var bench = NAT64Bench()
        _ = bench.send(NAT64Bench.udp6(40000))
        let datagram = TestPackets.udp(NAT64Bench.pool, NAT64Bench.server, (40000, 53), [1, 2, 3])
        let quoted = TestPackets.ipv4(
            NAT64Bench.pool, NAT64Bench.server, proto: 17, datagram, options: [7, 7, 4, 0, 0, 0, 0, 0])
        let packet = bench.send(error(from: NAT64Bench.server, quoted)).packet
        let inner = TestPackets.udp(NAT64Bench.client, NAT64Bench.server6, (40000, 53), [1, 2, 3])
        #expect(packet.map { Array($0[88...]) } == inner)
    }

    /// The message's own checksum covers the packet inside, so that a wrong one there says only that a router has changed it.
    @Test
    func `is heard though the checksum of the header inside is wrong`() {
        var bench = NAT64Bench()
        _ = bench.send(NAT64Bench.udp6(40000))
        var quoted = Self.quoted
        quoted[8] = 0
        #expect(source(bench.send(error(from: NAT64Bench.server, quoted))) == "2001:db8:64::c000:221")
    }
}
