import Addresses
import TestSupport
import Testing
import Translation

/// Nothing that comes from a network may crash a translator, or leave it as a packet with lengths that lie.
struct `Bad packets` {
    /// One packet of each shape.
    private func corpus() -> [[UInt8]] {
        let data = [UInt8](0..<80)
        let (a4, b4) = (Net.host4, Net.host6AsIPv4)
        let (a6, b6) = (Net.host6, Net.host4AsIPv6)
        let tcp4 = TestPackets.ipv4(b4, a4, proto: 6, TestPackets.tcp(b4, a4, (1, 2), data), ttl: 3)
        let tcp6 = TestPackets.ipv6(b6, a6, next: 6, TestPackets.tcp(b6, a6, (1, 2), data), hops: 3)
        let padded4 = tcp4 + [UInt8](repeating: 0, count: 160 - tcp4.count) + [0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4]
        let padded6 = tcp6 + [UInt8](repeating: 0, count: 176 - tcp6.count) + [0x20, 0, 0, 0, 0, 8, 1, 1, 1, 2, 3, 4]
        return [
            TestPackets.ipv4(a4, b4, proto: 6, TestPackets.tcp(a4, b4, (1, 2), data), options: [1, 1, 1, 0]),
            TestPackets.ipv4(a4, b4, proto: 17, TestPackets.udp(a4, b4, (1, 2), data)),
            TestPackets.ipv4(a4, b4, proto: 17, TestPackets.udp(a4, b4, (1, 2), data), flagsAndOffset: 0x2000),
            TestPackets.ipv4(a4, b4, proto: 1, TestPackets.icmpv4(8, 0, [0, 1, 0, 1], data)),
            TestPackets.ipv4(a4, b4, proto: 1, TestPackets.icmpv4(3, 1, [0, 0, 0, 0], tcp4)),
            TestPackets.ipv4(a4, b4, proto: 1, TestPackets.icmpv4(11, 0, [0, 40, 0, 0], padded4)),
            TestPackets.ipv6(a6, b6, next: 6, TestPackets.tcp(a6, b6, (1, 2), data)),
            TestPackets.ipv6(
                a6, b6, next: 0,
                [60, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0] + TestPackets.udp(a6, b6, (1, 2), data)),
            TestPackets.ipv6(a6, b6, next: 44, [17, 0, 0, 1, 0, 0, 0, 9] + TestPackets.udp(a6, b6, (1, 2), data)),
            TestPackets.ipv6(a6, b6, next: 43, [17, 0, 0, 1, 0, 0, 0, 9] + TestPackets.udp(a6, b6, (1, 2), data)),
            TestPackets.ipv6(a6, b6, next: 58, TestPackets.icmpv6(a6, b6, 128, 0, [0, 1, 0, 1], data)),
            TestPackets.ipv6(a6, b6, next: 58, TestPackets.icmpv6(a6, b6, 2, 0, [0, 0, 5, 0], tcp6)),
            TestPackets.ipv6(a6, b6, next: 58, TestPackets.icmpv6(a6, b6, 3, 0, [22, 0, 0, 0], padded6)),
        ]
    }

    /// Checks that whatever left the translator says its own length, and that IPv4 headers are right.
    private func check(_ result: Result, from packet: [UInt8], _ remark: String) {
        let pieces: [[UInt8]]
        switch result {
        case .forward(let bytes), .segments(let bytes, _), .reply(let bytes, _): pieces = [bytes]
        case .fragments(let all): pieces = all
        case .held, .handOver, .drop: return
        }
        for piece in pieces {
            if piece[0] >> 4 == 4 {
                #expect(Int(piece[2]) << 8 | Int(piece[3]) == piece.count, "\(remark): \(packet)")
                #expect(TestPackets.checksum(Array(piece[..<20])) == 0, "\(remark): \(packet)")
            } else {
                #expect(Int(piece[4]) << 8 | Int(piece[5]) == piece.count - 40, "\(remark): \(packet)")
            }
        }
    }

    @Test
    func `cut short at every byte are dropped as malformed`() {
        for packet in corpus() {
            var translator = Net.translator()
            for count in 0..<packet.count {
                #expect(translator.result(Array(packet.prefix(count))) == .drop(.malformed), "\(count) of \(packet)")
            }
            let whole = translator.result(packet)
            check(whole, from: packet, "whole")
            #expect(whole != .drop(.malformed), "\(packet)")
        }
    }

    @Test
    func `cut short inside their IP length never pass for whole`() {
        for packet in corpus() {
            var translator = Net.translator()
            for count in (packet[0] >> 4 == 4 ? 24 : 40)..<packet.count {
                var short = Array(packet.prefix(count))
                if short[0] >> 4 == 4 {
                    short.replaceSubrange(2..<4, with: TestPackets.word(count))
                    short.replaceSubrange(10..<12, with: [0, 0])
                    let header = Int(short[0] & 15) * 4
                    short.replaceSubrange(
                        10..<12, with: TestPackets.word(TestPackets.checksum(Array(short[..<header]))))
                } else {
                    short.replaceSubrange(4..<6, with: TestPackets.word(count - 40))
                }
                check(translator.result(short), from: short, "\(count) bytes")
            }
        }
    }

    @Test(arguments: UInt64(1)...4)
    func `with bits turned over never crash or lie about their length`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let corpus = corpus()
        var translator = Net.translator([("10.0.0.0/8", "2001:db8:10::/104")])
        var passed = 0
        for round in 0..<6000 {
            guard var packet = corpus.randomElement(using: &generator) else { continue }
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0..<packet.count, using: &generator)
                packet[position] =
                    [0, 1, 0x7F, 0xFF, UInt8.random(in: 0...255, using: &generator)]
                    .randomElement(using: &generator) ?? 0
            }
            // The header's checksum is made right again, or nearly every IPv4 packet would stop there.
            let header = Int(packet[0] & 15) * 4
            if packet[0] >> 4 == 4, header >= 20, packet.count >= header {
                packet.replaceSubrange(10..<12, with: [0, 0])
                packet.replaceSubrange(10..<12, with: TestPackets.word(TestPackets.checksum(Array(packet[..<header]))))
            }
            let result = translator.result(packet, at: UInt64(round) * 10)
            check(result, from: packet, "seed \(seed)")
            if case .forward = result { passed += 1 }
        }
        #expect(passed > 500, "hardly any packet passed, so hardly anything was tested")
    }
}
