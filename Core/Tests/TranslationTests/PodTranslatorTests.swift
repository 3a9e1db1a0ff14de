import Addresses
import BPF
import Glibc
import Linux
import PodTranslation
import RouteNetlink
import TestSupport
import Testing
import Translation

/// The same packets through the program and through the translator in userspace.
@Suite(.enabled(if: geteuid() == 0, "needs root"))
struct `The program and userspace` {
    static let pod = "2001:db8:1::10"
    static let pod4 = "100.64.7.1"
    static let host4 = "192.0.2.33"
    static let prefix = Net.prefix

    /// A program that knows one pod.
    private func program(
        denied: [IPPrefix] = [], lowestIPv6MTU: Int? = nil, copiesTrafficClass: Bool = true, slowLink: Int32? = 1
    ) throws -> PodTranslator {
        let translator = try PodTranslator(
            prefix: Self.prefix, denied: denied, lowestIPv6MTU: lowestIPv6MTU, copiesTrafficClass: copiesTrafficClass,
            slowLink: slowLink)
        let (ipv4, ipv6) = (IPv4Address(Self.pod4), IPv6Address(Self.pod))
        try translator.set(try #require(ipv4), for: try #require(ipv6))
        return translator
    }

    /// What userspace makes of a packet, with the hop that the node's own forwarding counts given back.
    private func userspace(_ packet: [UInt8]) throws -> [UInt8]? {
        let (ipv4, ipv6) = (Net.prefix("\(Self.pod4)/32"), Net.prefix("\(Self.pod)/128"))
        let pair = try #require(ExplicitAddressMapping(ipv4: ipv4, ipv6: ipv6))
        var translator = StatelessTranslator(
            mapper: AddressMapper(explicit: [pair], prefix: Self.prefix, embedsNonGlobal: true),
            options: TranslationOptions(ipv4MTU: 65_535, ipv6MTU: 65_535, lowestIPv6MTU: 65_535))
        let first = TranslationOptions.headroom
        var memory = [UInt8](repeating: 0, count: first) + packet
        var elements = memory.mutableSpan
        var span = elements.mutableBytes
        let outcome = translator.translate(
            &span, packet: first..<(first + packet.count), at: Timestamp(milliseconds: 0))
        guard case .forward(let range, _) = outcome else { return nil }
        return Array(memory[range])
    }

    /// A packet without what the two may do differently: the hop, the identification, and the checksum over them.
    private func comparable(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        if packet[0] >> 4 == 4 {
            for index in [4, 5, 8, 10, 11] { packet[index] = 0 }
        } else {
            packet[7] = 0
        }
        return packet
    }

    private func frame(_ packet: [UInt8]) -> [UInt8] {
        [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] + (packet[0] >> 4 == 4 ? [8, 0] : [0x86, 0xDD]) + packet
    }

    /// Packets that the program translates itself, with random content.
    private func packets(_ random: inout SeededGenerator) -> [[UInt8]] {
        (0..<200).flatMap { _ -> [[UInt8]] in
            let data = (0..<Int.random(in: 12...1300, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            let ports = (Int.random(in: 1...65535, using: &random), Int.random(in: 1...65535, using: &random))
            let service = UInt8.random(in: 0...255, using: &random)
            let host6 = "2001:db8:64::\(Self.host4)"
            let flags = UInt8.random(in: 0...255, using: &random)
            return [
                TestPackets.ipv6(
                    Self.pod, host6, next: 6, TestPackets.tcp(Self.pod, host6, ports, flags: flags, data),
                    trafficClass: service),
                TestPackets.ipv6(
                    Self.pod, host6, next: 17, TestPackets.udp(Self.pod, host6, ports, data), trafficClass: service),
                TestPackets.ipv6(
                    Self.pod, host6, next: 58,
                    TestPackets.icmpv6(Self.pod, host6, 128, 0, TestPackets.word(ports.0) + [0, 1], data),
                    trafficClass: service),
                TestPackets.ipv6(
                    Self.pod, host6, next: 58,
                    TestPackets.icmpv6(Self.pod, host6, 129, 0, TestPackets.word(ports.0) + [0, 1], data),
                    trafficClass: service),
                TestPackets.ipv4(
                    Self.host4, Self.pod4, proto: 6, TestPackets.tcp(Self.host4, Self.pod4, ports, flags: flags, data),
                    tos: service),
                TestPackets.ipv4(
                    Self.host4, Self.pod4, proto: 17, TestPackets.udp(Self.host4, Self.pod4, ports, data), tos: service),
                TestPackets.ipv4(
                    Self.host4, Self.pod4, proto: 1,
                    TestPackets.icmpv4(8, 0, TestPackets.word(ports.0) + [0, 1], data), tos: service),
                TestPackets.ipv4(
                    Self.host4, Self.pod4, proto: 1,
                    TestPackets.icmpv4(0, 0, TestPackets.word(ports.0) + [0, 1], data), tos: service),
            ]
        }
    }

    @Test
    func `make the same of plain packets, bit for bit but for hop and identification`() throws {
        let program = try program()
        var random = SeededGenerator(seed: 7915)
        var translated = 0
        for packet in packets(&random) {
            let direction: ProgramFilter.Direction = packet[0] >> 4 == 6 ? .ingress : .egress
            let run = try program.run(direction, on: frame(packet))
            #expect(run.result == 0, "\(packet)")
            let their = try #require(try userspace(packet))
            #expect(Array(run.packet[12..<14]) == (their[0] >> 4 == 4 ? [8, 0] : [0x86, 0xDD]))
            let ours = Array(run.packet[14...])
            #expect(comparable(ours) == comparable(their), "\(packet)")
            if ours[0] >> 4 == 4 {
                #expect(TestPackets.checksum(Array(ours[..<20])) == 0)
                #expect(ours[8] == packet[7], "the node's forwarding counts the hop")
                let isLong = ours.count > 1260
                #expect(ours[6] & 0x40 == (isLong ? 0x40 : 0))
            } else {
                #expect(ours[7] == packet[8])
            }
            translated += 1
        }
        let counters = try program.counters()
        #expect(counters.fromPods.packets + counters.toPods.packets == UInt64(translated))
        #expect(counters.slowFromPods.packets + counters.slowToPods.packets == 0)
    }

    /// A segment is as long as its headers and its payload together.
    @Test(arguments: [(6, 1208, 32, false), (6, 1209, 32, true), (17, 1232, 8, false), (17, 1233, 8, true)])
    func `forbid fragments by the length of each segment of several`(
        next: UInt8, payload: Int, header: Int, isForbidden: Bool
    ) throws {
        let host6 = "2001:db8:64::\(Self.host4)"
        let data = [UInt8](repeating: 1, count: 2 * payload + (next == 6 ? 12 : 0))
        var transport =
            next == 6
            ? TestPackets.tcp(Self.pod, host6, (1, 2), flags: 16, data) : TestPackets.udp(Self.pod, host6, (1, 2), data)
        // The first 12 bytes of the data are options.
        if next == 6 { transport[12] = 8 << 4 }
        let packet = TestPackets.ipv6(Self.pod, host6, next: next, transport)
        #expect(packet.count == 40 + header + 2 * payload)
        let context = PacketContext(segmentSize: UInt32(payload), segments: 2)
        let run = try program().run(.ingress, on: frame(packet), context)
        #expect(run.packet[14 + 6] & 0x40 == (isForbidden ? 0x40 : 0))
    }

    @Test(arguments: [
        // The length in IPv6, that of a segment if there are several, and whether fragments are forbidden.
        (1280, 0, false, true), (1281, 0, false, false), (1281, 0, true, true), (2512, 1240, false, true),
        (2512, 1241, false, false), (2512, 1241, true, true),
    ])
    func `leave what is to be cut to userspace, by the length of each segment of several`(
        length: Int, segment: Int, isForbidden: Bool, isTranslated: Bool
    ) throws {
        let datagram = TestPackets.udp(
            Self.host4, Self.pod4, (1, 2), [UInt8](repeating: 5, count: length - 48))
        let packet = frame(
            TestPackets.ipv4(
                Self.host4, Self.pod4, proto: 17, datagram, flagsAndOffset: isForbidden ? 0x4000 : 0))
        let context = segment > 0 ? PacketContext(segmentSize: UInt32(segment - 8), segments: 2) : PacketContext()
        let run = try program(lowestIPv6MTU: 1280).run(.egress, on: packet, context)
        #expect(run.packet.count == packet.count + (isTranslated ? 20 : 0))
        #expect(run.result == (isTranslated ? 0 : 7))
        // Where the link is the whole path nothing has to be cut.
        #expect(try program().run(.egress, on: packet, context).result == 0)
    }

    @Test
    func `leave the traffic class behind where they are told to`() throws {
        let program = try program(copiesTrafficClass: false)
        let host6 = "2001:db8:64::\(Self.host4)"
        let from = TestPackets.ipv6(
            Self.pod, host6, next: 17, TestPackets.udp(Self.pod, host6, (1, 2), [1]), trafficClass: 0xB8)
        #expect(try program.run(.ingress, on: frame(from)).packet[15] == 0)
        let to = TestPackets.ipv4(
            Self.host4, Self.pod4, proto: 17, TestPackets.udp(Self.host4, Self.pod4, (1, 2), [1]), tos: 0xB8)
        #expect(Array(try program.run(.egress, on: frame(to)).packet[14..<18]) == [0x60, 0, 0, 0])
    }

    @Test
    func `keep the sum of a whole packet that a device has made`() throws {
        let program = try program()
        var random = SeededGenerator(seed: 1071)
        for packet in packets(&random) {
            let direction: ProgramFilter.Direction = packet[0] >> 4 == 6 ? .ingress : .egress
            do {
                // The kernel compares the sum with the packet afterwards.
                let run = try program.run(direction, on: frame(packet), PacketContext(hasWholeSum: true))
                #expect(comparable(Array(run.packet[14...])) == comparable(try #require(try userspace(packet))))
            } catch let error as BPFError where error.errno == .invalidArgument {
                try Test.cancel("this kernel runs no programs on packets with such a sum (Linux 6.17 does)")
            }
        }
    }

    @Test
    func `share the work: what is not plain goes to userspace unchanged`() throws {
        let program = try program()
        let host6 = "2001:db8:64::\(Self.host4)"
        let data = [UInt8](repeating: 5, count: 64)
        let udp6 = TestPackets.udp(Self.pod, host6, (1, 2), data)
        let udp4 = TestPackets.udp(Self.host4, Self.pod4, (1, 2), data)
        var unsummed = udp4
        (unsummed[6], unsummed[7]) = (0, 0)
        let from: [(remark: String, packet: [UInt8])] = [
            ("a fragment", TestPackets.ipv6(Self.pod, host6, next: 44, [17, 0, 0, 1, 0, 0, 0, 9] + udp6)),
            ("options", TestPackets.ipv6(Self.pod, host6, next: 60, [17, 0, 1, 4, 0, 0, 0, 0] + udp6)),
            (
                "an error",
                TestPackets.ipv6(
                    Self.pod, host6, next: 58,
                    TestPackets.icmpv6(Self.pod, host6, 1, 0, TestPackets.word(0) + [0, 1], data))
            ),
            ("another transport", TestPackets.ipv6(Self.pod, host6, next: 132, data)),
        ]
        for (remark, packet) in from {
            let run = try program.run(.ingress, on: frame(packet))
            #expect(run.result == 0 && run.packet == frame(packet), "\(remark)")
        }
        #expect(try program.counters().slowFromPods.packets == UInt64(from.count))
        let to: [(remark: String, packet: [UInt8])] = [
            ("a first fragment", TestPackets.ipv4(Self.host4, Self.pod4, proto: 17, udp4, flagsAndOffset: 0x2000)),
            ("a later fragment", TestPackets.ipv4(Self.host4, Self.pod4, proto: 17, udp4, flagsAndOffset: 8)),
            ("a last fragment of one byte", TestPackets.ipv4(Self.host4, Self.pod4, proto: 17, [5], flagsAndOffset: 8)),
            ("a transport of seven bytes", TestPackets.ipv4(Self.host4, Self.pod4, proto: 132, Array(data[..<7]))),
            ("no transport", TestPackets.ipv4(Self.host4, Self.pod4, proto: 59, [])),
            (
                "an error",
                TestPackets.ipv4(
                    Self.host4, Self.pod4, proto: 1, TestPackets.icmpv4(3, 0, TestPackets.word(0) + [0, 1], data))
            ),
            ("UDP without a checksum", TestPackets.ipv4(Self.host4, Self.pod4, proto: 17, unsummed)),
            ("another transport", TestPackets.ipv4(Self.host4, Self.pod4, proto: 132, data)),
            ("options", TestPackets.ipv4(Self.host4, Self.pod4, proto: 17, udp4, options: [1, 1, 1, 0])),
        ]
        for (remark, packet) in to {
            let run = try program.run(.egress, on: frame(packet))
            #expect(run.result == 7, "TC_ACT_REDIRECT for \(remark)")
            #expect(run.packet == frame(packet), "\(remark)")
        }
        #expect(try program.counters().slowToPods.packets == UInt64(to.count))
        let lonely = try self.program(slowLink: nil)
        #expect(try lonely.run(.egress, on: frame(to[0].packet)).result == 2, "TC_ACT_SHOT where there is no userspace")
    }

    @Test
    func `leave alone what is none of theirs`() throws {
        let program = try program()
        let host6 = "2001:db8:64::\(Self.host4)"
        let (pod, other) = (Self.pod, "2001:db8:1::11")
        let data = [UInt8](repeating: 5, count: 64)
        func query(_ source: String, _ destination: String) -> [UInt8] {
            TestPackets.ipv6(source, destination, next: 17, TestPackets.udp(source, destination, (1, 2), data))
        }
        for packet in [query(pod, "2001:db8:65::1"), query(other, host6)] {
            let run = try program.run(.ingress, on: frame(packet))
            #expect(run.result == 0 && run.packet == frame(packet))
        }
        #expect(try program.counters().unknownPods.packets == 1)
        let elsewhere = TestPackets.ipv4(
            Self.host4, "100.64.7.2", proto: 17, TestPackets.udp(Self.host4, "100.64.7.2", (1, 2), data))
        #expect(try program.run(.egress, on: frame(elsewhere)).packet == frame(elsewhere))
        let packet = query(pod, host6)
        // A pod that is gone, or has another address.
        let pod6 = try #require(IPv6Address(pod))
        let moved = try #require(IPv4Address("100.64.7.9"))
        try program.set(moved, for: pod6)
        #expect(try program.pods() == [pod6: moved])
        let run = try program.run(.ingress, on: frame(packet))
        #expect(Array(run.packet[26..<30]) == [100, 64, 7, 9])
        try program.remove(pod6)
        #expect(try program.run(.ingress, on: frame(packet)).packet == frame(packet))
        #expect(try program.pods().isEmpty)
    }

    @Test(arguments: [
        ("192.0.2.33", true), ("192.0.3.0", false), ("192.0.1.255", false), ("192.0.2.255", true), ("10.255.0.1", true),
        ("11.0.0.0", false), ("255.255.255.255", true), ("255.255.255.254", false), ("203.0.113.1", false),
    ])
    func `leave alone what goes to a network that is denied`(destination: String, isDenied: Bool) throws {
        let program = try program(
            denied: ["10.0.0.0/8", "192.0.2.0/24", "255.255.255.255/32"].map(Net.prefix))
        let host6 = "2001:db8:64::\(destination)"
        let packet = TestPackets.ipv6(
            Self.pod, host6, next: 17, TestPackets.udp(Self.pod, host6, (1, 2), [1, 2, 3, 4]))
        let run = try program.run(.ingress, on: frame(packet))
        #expect(run.packet.count == frame(packet).count - (isDenied ? 0 : 20))
        // What comes from there is left to userspace.
        let back = TestPackets.ipv4(
            destination, Self.pod4, proto: 17, TestPackets.udp(destination, Self.pod4, (1, 2), [1, 2, 3, 4]))
        let answer = try program.run(.egress, on: frame(back))
        #expect(answer.result == (isDenied ? 7 : 0))
        #expect(answer.packet.count == frame(back).count + (isDenied ? 0 : 20))
        let counters = try program.counters()
        #expect(counters.slowToPods.packets == (isDenied ? 1 : 0))
        #expect((counters.denied.packets, counters.fromPods.packets) == (isDenied ? (1, 0) : (0, 1)))
    }

    @Test
    func `know as many denied networks as they have room for, all of IPv4`() throws {
        let networks = (0..<33).map { Net.prefix("10.\($0).0.0/16") }
        let program = try program(denied: Array(networks[..<32]))
        let host6 = "2001:db8:64::10.31.0.1"
        let packet = TestPackets.ipv6(Self.pod, host6, next: 17, TestPackets.udp(Self.pod, host6, (1, 2), []))
        #expect(try program.run(.ingress, on: frame(packet)).packet == frame(packet))
        #expect(throws: BPFError.self) { _ = try self.program(denied: networks) }
        #expect(throws: BPFError.self) { _ = try self.program(denied: [Net.prefix("2001:db8::/32")]) }
    }

    @Test
    func `survive packets that are cut short at every byte`() throws {
        let program = try program()
        var random = SeededGenerator(seed: 3)
        for packet in packets(&random).prefix(8) {
            let direction: ProgramFilter.Direction = packet[0] >> 4 == 6 ? .ingress : .egress
            let whole = frame(packet)
            for count in stride(from: 34, to: whole.count, by: 1) {
                let cut = Array(whole.prefix(count))
                // The kernel itself refuses frames without a network header.
                guard let run = try? program.run(direction, on: cut) else { continue }
                #expect(run.packet == cut, "\(count) bytes were changed")
            }
        }
    }
}
