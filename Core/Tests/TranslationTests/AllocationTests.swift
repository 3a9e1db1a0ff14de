import Addresses
import CAllocationCount
import Testing
import Translation

/// No packet may cost memory: a translator's speed must not hang on the allocator.
struct `Translators allocate nothing` {
    /// The allocations of 100 runs of `body` on a packet, behind a first one that may make what is made once.
    private func allocations(
        _ packet: [UInt8], _ body: (inout MutableRawSpan, Range<Int>) -> Outcome
    ) -> (count: UInt, outcome: Outcome) {
        let first = TranslationOptions.headroom
        var memory = [UInt8](repeating: 0, count: first + packet.count + 2048)
        var outcome = Outcome.held
        var count: UInt = 0
        for run in 0...100 {
            memory.replaceSubrange(first..<(first + packet.count), with: packet)
            var elements = memory.mutableSpan
            var span = elements.mutableBytes
            let before = duet_allocation_count()
            outcome = body(&span, first..<(first + packet.count))
            if case .fragments(var fragmenter) = outcome {
                while fragmenter.next(in: &span) != nil {}
            }
            // The first may make what is made once, and so may the second, which ends what the first has begun.
            if run > 1 { count += duet_allocation_count() - before }
        }
        return (count, outcome)
    }

    /// Packets that go through: a refusal is a thrown error, of which the testing library keeps a trace.
    private func packets() -> [(remark: String, bytes: [UInt8])] {
        let (a4, b4) = (Net.host4, Net.host6AsIPv4)
        let (a6, b6) = (Net.host6, Net.host4AsIPv6)
        let data = [UInt8](repeating: 3, count: 1400)
        let quoted = TestPackets.ipv4(b4, a4, proto: 6, TestPackets.tcp(b4, a4, (1, 2), [1, 2, 3]))
        return [
            ("TCP to IPv6", TestPackets.ipv4(a4, b4, proto: 6, TestPackets.tcp(a4, b4, (1, 2), [1]))),
            ("UDP to IPv4", TestPackets.ipv6(a6, b6, next: 17, TestPackets.udp(a6, b6, (1, 2), data))),
            ("UDP in fragments", TestPackets.ipv4(a4, b4, proto: 17, TestPackets.udp(a4, b4, (1, 2), data))),
            ("a ping", TestPackets.ipv6(a6, b6, next: 58, TestPackets.icmpv6(a6, b6, 128, 0, [0, 1, 0, 1], data))),
            ("an error", TestPackets.ipv4(a4, b4, proto: 1, TestPackets.icmpv4(3, 3, [0, 0, 0, 0], quoted))),
        ]
    }

    @Test
    func `without sessions`() {
        var translator = Net.translator()
        for packet in packets() {
            let result = allocations(packet.bytes) {
                translator.translate(&$0, packet: $1, at: Timestamp(milliseconds: 0))
            }
            #expect(result.count == 0, "\(packet.remark): \(result.outcome)")
        }
    }

    @Test(arguments: [10, 100_000])
    func `one host more or less, however many there are`(hosts: UInt32) throws {
        func host(_ number: UInt32) -> (IPv4Address, IPv6Address) {
            (IPv4Address(rawValue: 0x0A00_0000 + number), IPv6Address(rawValue: 0xFD00 << 112 | UInt128(number) << 40))
        }
        var mapper = AddressMapper(prefix: .wellKnown)
        for number in 1...hosts { mapper.setHost(host(number).0, host(number).1) }
        var before = duet_allocation_count()
        for run in 0...100 {
            // The first may make what is made once.
            if run == 1 { before = duet_allocation_count() }
            mapper.removeHost(host(7).0, host(7).1)
            mapper.setHost(host(7).0, host(hosts).1)
            mapper.setHost(host(hosts).0, host(7).1)
            mapper.removeHost(host(7).0, host(hosts).1)
            mapper.removeHost(host(hosts).0, host(7).1)
            mapper.setHost(host(7).0, host(7).1)
            mapper.setHost(host(hosts).0, host(hosts).1)
        }
        let count = duet_allocation_count() - before
        #expect(count == 0)
        #expect(mapper.ipv6Address(for: host(7).0) == host(7).1)
        #expect(mapper.ipv4Address(for: host(hosts).1) == host(hosts).0)
    }

    @Test
    func `with sessions that come and go`() {
        var bench = NAT64Bench()
        var clock: UInt64 = 0
        for packet in [NAT64Bench.udp6(40000), NAT64Bench.tcp6(50000, flags: 2)] {
            let result = allocations(packet) {
                clock += 400_000
                // Each run ends the session of the one before, and makes a new one.
                while bench.nat.pending(&$0, at: Timestamp(milliseconds: clock - 1)) != nil {}
                return bench.nat.translate(&$0, packet: $1, at: Timestamp(milliseconds: clock))
            }
            #expect(result.count == 0, "\(result.outcome)")
        }
    }

    @Test
    func `and the count counts`() {
        let before = duet_allocation_count()
        let array = [UInt8](repeating: 1, count: Int.random(in: 100...200))
        #expect(array.count >= 100)
        #expect(duet_allocation_count() > before)
    }
}
