import Addresses
import Testing
import Translation

/// What keeps a session, and what does not (RFC 6146 §3.5, RFC 4787 REQ-6 and REQ-12, RFC 5382 REQ-10, RFC 5508 REQ-2 to REQ-5).
struct `A session` {
    private static func ping6(_ type: UInt8, to server: String = NAT64Bench.server6) -> [UInt8] {
        TestPackets.ipv6(
            NAT64Bench.client, server, next: 58,
            TestPackets.icmpv6(NAT64Bench.client, server, type, 0, [0, 77, 0, 1], [9]))
    }

    private static func ping4(_ type: UInt8) -> [UInt8] {
        TestPackets.ipv4(
            NAT64Bench.server, NAT64Bench.pool, proto: 1, TestPackets.icmpv4(type, 0, [0, 77, 0, 1], [9]))
    }

    @Test(arguments: [
        (NAT64Bench.udp6(40000), NAT64Bench.udp6(40000), 300), (NAT64Bench.udp6(40000), NAT64Bench.udp4(40000), 300),
        (ping6(128), ping6(128), 60), (ping6(128), ping4(0), 60),
    ])
    func `lives on from each packet of either side`(first: [UInt8], next: [UInt8], seconds: Int) {
        var bench = NAT64Bench()
        #expect(bench.send(first).packet != nil)
        #expect(bench.sessions().map(\.expires) == [UInt32(1000 + seconds)])
        #expect(bench.wait(seconds: 50) == [])
        #expect(bench.send(next).packet != nil)
        #expect(bench.sessions().map(\.expires) == [UInt32(1050 + seconds)])
        #expect(bench.wait(seconds: UInt64(seconds) - 1) == [])
        #expect(bench.nat.sessionCount == 1 && bench.nat.mappingCount == 1)
        #expect(bench.wait(seconds: 1) == [])
        #expect(bench.nat.sessionCount == 0 && bench.nat.mappingCount == 0)
    }

    @Test(arguments: [UInt8(3), 11, 12], [false, true])
    func `is neither ended nor kept by ICMP errors`(type: UInt8, isTCP: Bool) {
        var bench = NAT64Bench()
        guard let sent = bench.send(isTCP ? NAT64Bench.tcp6(40000, flags: 2) : NAT64Bench.udp6(40000)).packet,
            let came = bench.send(isTCP ? NAT64Bench.tcp4(40000, flags: 0x12) : NAT64Bench.udp4(40000)).packet
        else {
            Issue.record("no session")
            return
        }
        let before = bench.sessions()
        _ = bench.wait(seconds: 10)
        let error4 = TestPackets.ipv4(
            "203.0.113.9", NAT64Bench.pool, proto: 1, TestPackets.icmpv4(type, 0, [0, 0, 0, 0], sent))
        #expect(bench.send(error4).packet != nil)
        // From a router between the client and the translator.
        let message = TestPackets.icmpv6(
            "2001:db8:2::1", NAT64Bench.server6, type == 3 ? 1 : type == 11 ? 3 : 4, 0, [0, 0, 0, 0], came)
        let error6 = bench.send(TestPackets.ipv6("2001:db8:2::1", NAT64Bench.server6, next: 58, message)).packet
        #expect(error6.map { Array($0[12..<16]) } == TestPackets.address(NAT64Bench.pool))
        #expect(bench.sessions() == before)
    }

    @Test
    func `is opened by no ICMP but requests for an echo`() {
        var bench = NAT64Bench()
        for type in (UInt8(5)...255) where type != 128 { #expect(bench.send(Self.ping6(type)).pieces.isEmpty) }
        #expect(bench.nat.sessionCount == 0)
        _ = bench.send(Self.ping6(128))
        for type in (UInt8(0)...255) where ![0, 8].contains(type) {
            #expect(bench.send(Self.ping4(type)).pieces.isEmpty)
        }
        // Who is known to the client's port may ask it.
        #expect(bench.send(Self.ping4(8)).packet.map { $0[40] } == 128)
        #expect(bench.nat.sessionCount == 1)
    }

    /// An echo has one identifier, which is the sender's, so that there is nobody else whom it could find.
    @Test
    func `of a ping to a public address leads back to who sent it`() {
        var bench = NAT64Bench()
        let (client, pool6) = (NAT64Bench.client, "2001:db8:64::198.51.100.1")
        for type in [UInt8(128), 129] {
            let expected = TestPackets.ipv6(
                pool6, client, next: 58, TestPackets.icmpv6(pool6, client, type, 0, [0, 77, 0, 1], [9]), hops: 62)
            #expect(bench.send(Self.ping6(type, to: pool6)) == .forward(expected))
        }
    }

    @Test
    func `is between the prefix and the pool alone`() {
        var bench = NAT64Bench()
        guard case .reply(let error, .unmappedDestination) = bench.send(NAT64Bench.udp6(1, to: "2001:db8:65::1")) else {
            Issue.record("no answer")
            return
        }
        #expect(Array(error[40..<42]) == [1, 0])
        let elsewhere = TestPackets.udp(NAT64Bench.server, "198.51.100.9", (1, 2), [])
        let packet = TestPackets.ipv4(NAT64Bench.server, "198.51.100.9", proto: 17, elsewhere)
        #expect(bench.send(packet) == .drop(.unmappedDestination))
        #expect(bench.nat.sessionCount == 0)
    }
}
