import Testing
import Translation

/// What the comparison with other translators does not reach: extensions (RFC 4884), MTUs that nobody tells, cut packets.
struct `ICMP errors` {
    /// An extension structure with one object, and its checksum.
    private let extensions: [UInt8] = {
        var bytes: [UInt8] = [0x20, 0, 0, 0, 0, 8, 1, 1, 0xAA, 0xBB, 0xCC, 0xDD]
        bytes.replaceSubrange(2..<4, with: TestPackets.word(TestPackets.checksum(bytes)))
        return bytes
    }()

    private func quoted4(_ count: Int) -> [UInt8] {
        let data = [UInt8](repeating: 7, count: count)
        let datagram = TestPackets.udp(Net.host6AsIPv4, Net.host4, (1, 2), data)
        return TestPackets.ipv4(Net.host6AsIPv4, Net.host4, proto: 17, datagram, ttl: 5)
    }

    private func quoted6(_ count: Int) -> [UInt8] {
        let data = [UInt8](repeating: 7, count: count)
        let datagram = TestPackets.udp(Net.host6, Net.host4AsIPv6, (1, 2), data)
        return TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: 17, datagram, hops: 5)
    }

    private func error4(_ type: UInt8, _ code: UInt8, _ rest: [UInt8], _ body: [UInt8]) -> [UInt8] {
        TestPackets.ipv4(Net.host4, Net.host6AsIPv4, proto: 1, TestPackets.icmpv4(type, code, rest, body))
    }

    private func expected6(_ type: UInt8, _ code: UInt8, _ rest: [UInt8], _ body: [UInt8]) -> Result {
        let message = TestPackets.icmpv6(Net.host4AsIPv6, Net.host6, type, code, rest, body)
        return .forward(TestPackets.ipv6(Net.host4AsIPv6, Net.host6, next: 58, message, hops: 63))
    }

    private func padded(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: count - bytes.count)
    }

    @Test(arguments: [
        (72, 128, 128),  // padded to the least length in both
        (200, 228, 248),  // grown by the header's 20 bytes
        (201, 232, 256),  // grown, and rounded up to four and eight bytes
    ])
    func `keep their extensions on the way to IPv6`(count: Int, field4: Int, field6: Int) {
        var translator = Net.translator()
        let error = error4(11, 0, [0, UInt8(field4 / 4), 0, 0], padded(quoted4(count), field4) + extensions)
        let body = padded(quoted6(count), field6) + extensions
        #expect(translator.result(error) == expected6(3, 0, [UInt8(field6 / 8), 0, 0, 0], body))
    }

    @Test(arguments: [
        (72, 128, 128), (200, 228, 248), (201, 232, 256),
        (992, 1020, 1040),  // the longest that fits into eight bits
    ])
    func `keep their extensions on the way to IPv4`(count: Int, field4: Int, field6: Int) {
        // The packet that the error is about went the other way, so the hosts have changed places.
        var translator = Net.translator()
        let data = [UInt8](repeating: 7, count: count)
        let inner6 = TestPackets.ipv6(
            Net.host4AsIPv6, Net.host6, next: 17, TestPackets.udp(Net.host4AsIPv6, Net.host6, (1, 2), data))
        let inner4 = TestPackets.ipv4(
            Net.host4, Net.host6AsIPv4, proto: 17, TestPackets.udp(Net.host4, Net.host6AsIPv4, (1, 2), data))
        let message6 = TestPackets.icmpv6(
            Net.host6, Net.host4AsIPv6, 1, 4, [UInt8(field6 / 8), 0, 0, 0], padded(inner6, field6) + extensions)
        let message4 = TestPackets.icmpv4(3, 3, [0, UInt8(field4 / 4), 0, 0], padded(inner4, field4) + extensions)
        let expected = TestPackets.ipv4(Net.host6AsIPv4, Net.host4, proto: 1, message4, ttl: 63)
        let packet = TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: 58, message6)
        #expect(translator.result(packet) == .forward(expected))
    }

    @Test
    func `keep no more of the packet than eight bits tell`() {
        var translator = Net.translator()
        let (host6, host4) = (Net.host6, Net.host4AsIPv6)
        let data = [UInt8](repeating: 7, count: 1152)
        let inner6 = TestPackets.ipv6(host4, host6, next: 17, TestPackets.udp(host4, host6, (1, 2), data))
        let message6 = TestPackets.icmpv6(host6, host4, 1, 4, [UInt8(1200 / 8), 0, 0, 0], inner6 + extensions)
        let inner4 = TestPackets.ipv4(
            Net.host4, Net.host6AsIPv4, proto: 17, TestPackets.udp(Net.host4, Net.host6AsIPv4, (1, 2), data))
        let message4 = TestPackets.icmpv4(3, 3, [0, 255, 0, 0], Array(inner4.prefix(255 * 4)) + extensions)
        let packet = translator.result(TestPackets.ipv6(host6, host4, next: 58, message6)).packet
        #expect(packet.map { Array($0[20...]) } == message4)
    }

    @Test
    func `lose their extensions where the other family has no place for them`() {
        var translator = Net.translator()
        let error = error4(3, 4, [0, 57, 0x05, 0x78], quoted4(200) + extensions)
        #expect(translator.result(error) == expected6(2, 0, [0, 0, 0x05, 0x8C], quoted6(200)))
    }

    @Test(arguments: [
        (1500, 1492), (1493, 1492), (1492, 1280), (576, 1280), (4400, 4352),
    ])
    func `without an MTU get the next smaller one that links have`(length: Int, mtu: Int) {
        var translator = Net.translator {
            $0.ipv4MTU = 9000
            $0.ipv6MTU = 9000
        }
        // Only the beginning of a packet of that length is in the error.
        var quoted = Array(quoted4(length - 28).prefix(60))
        quoted.replaceSubrange(10..<12, with: [0, 0])
        quoted.replaceSubrange(10..<12, with: TestPackets.word(TestPackets.checksum(Array(quoted[..<20]))))
        guard let packet = translator.result(error4(3, 4, [0, 0, 0, 0], quoted)).packet else {
            Issue.record("the error was not forwarded")
            return
        }
        let told = Int(packet[46]) << 8 | Int(packet[47])
        #expect(told == (mtu == 1280 ? 1280 : mtu + 20))
    }

    @Test
    func `are cut to the least MTU of IPv6`() {
        var translator = Net.translator()
        let error = error4(3, 3, [0, 0, 0, 0], quoted4(1400))
        let kept = 1280 - 40 - 8
        #expect(translator.result(error) == expected6(1, 4, [0, 0, 0, 0], Array(quoted6(1400).prefix(kept))))
    }

    @Test
    func `with a wrong checksum, or about an error, go nowhere`() {
        var translator = Net.translator()
        var error = error4(3, 3, [0, 0, 0, 0], quoted4(20))
        error[error.count - 1] ^= 1
        #expect(translator.result(error) == .drop(.badChecksum))
        let inner = TestPackets.ipv4(
            Net.host6AsIPv4, Net.host4, proto: 1, TestPackets.icmpv4(3, 3, [0, 0, 0, 0], quoted4(20)))
        #expect(translator.result(error4(3, 3, [0, 0, 0, 0], inner)) == .drop(.errorAboutError))
        let about = TestPackets.ipv6(
            Net.host4AsIPv6, Net.host6, next: 58,
            TestPackets.icmpv6(Net.host4AsIPv6, Net.host6, 1, 4, [0, 0, 0, 0], quoted6(20)))
        var message = TestPackets.icmpv6(Net.host6, Net.host4AsIPv6, 1, 4, [0, 0, 0, 0], about)
        #expect(
            translator.result(TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: 58, message))
                == .drop(.errorAboutError))
        message[message.count - 1] ^= 1
        #expect(
            translator.result(TestPackets.ipv6(Net.host6, Net.host4AsIPv6, next: 58, message)) == .drop(.badChecksum))
    }

    @Test(arguments: [(Int.min, 68), (0, 68), (1400, 1400), (Int.max, 65535)])
    func `never tell of impossible MTUs, whatever the options say`(given: Int, kept: Int) {
        let options = Net.options { $0.ipv4MTU = given }
        #expect(options.ipv4MTU == kept)
        #expect(TranslationOptions(ipv6MTU: given).ipv6MTU == max(kept, 1280))
    }
}
