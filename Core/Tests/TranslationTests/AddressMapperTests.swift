import Addresses
import TestSupport
import Testing
import Translation

struct `Explicit address mappings` {
    /// RFC 7757 §3.2's table.
    private func mapper() -> AddressMapper {
        let table = [
            ("192.0.2.1/32", "2001:db8:aaaa::/128"), ("192.0.2.2/32", "2001:db8:bbbb::b/128"),
            ("192.0.2.16/28", "2001:db8:cccc::/124"), ("192.0.2.128/26", "2001:db8:dddd::/64"),
            ("192.0.2.192/31", "64:ff9b::/127"),
        ]
        return AddressMapper(
            explicit: table.compactMap {
                ExplicitAddressMapping(ipv4: Net.prefix($0.0), ipv6: Net.prefix($0.1))
            }, prefix: Net.prefix)
    }

    @Test(arguments: [
        ("192.0.2.1", "2001:db8:aaaa::"), ("192.0.2.2", "2001:db8:bbbb::b"), ("192.0.2.16", "2001:db8:cccc::"),
        ("192.0.2.24", "2001:db8:cccc::8"), ("192.0.2.31", "2001:db8:cccc::f"),
        ("192.0.2.128", "2001:db8:dddd::"), ("192.0.2.152", "2001:db8:dddd:0:6000::"),
        ("192.0.2.183", "2001:db8:dddd:0:dc00::"), ("192.0.2.191", "2001:db8:dddd:0:fc00::"),
        ("192.0.2.193", "64:ff9b::1"), ("192.0.2.3", "2001:db8:64::c000:203"),
    ])
    func `are those of RFC 7757's examples`(ipv4: String, ipv6: String) throws {
        let (ipv4, ipv6) = (try #require(IPv4Address(ipv4)), try #require(IPv6Address(ipv6)))
        #expect(mapper().ipv6Address(for: ipv4) == ipv6)
        #expect(mapper().ipv4Address(for: ipv6) == ipv4)
    }

    @Test(arguments: [
        ("192.0.2.1", "2001:db8:1::1"), ("192.0.2.2", "2001:db8:2::2"), ("192.0.2.128", "2001:db8:3::"),
        ("192.0.3.1", "2001:db8:4::301"),
    ])
    func `count by the longest prefix where they overlap`(ipv4: String, ipv6: String) throws {
        let table = [
            ("192.0.0.0/16", "2001:db8:4::/112"), ("192.0.2.0/24", "2001:db8:2::/120"),
            ("192.0.2.128/25", "2001:db8:3::/121"), ("192.0.2.1/32", "2001:db8:1::1/128"),
        ]
        let mapper = AddressMapper(
            explicit: table.compactMap { ExplicitAddressMapping(ipv4: Net.prefix($0.0), ipv6: Net.prefix($0.1)) },
            prefix: nil)
        #expect(mapper.ipv6Address(for: try #require(IPv4Address(ipv4)))?.description == ipv6)
        #expect(mapper.ipv4Address(for: try #require(IPv6Address(ipv6)))?.description == ipv4)
    }

    @Test
    func `need room for the IPv4 host bits`() {
        #expect(ExplicitAddressMapping(ipv4: Net.prefix("10.0.0.0/8"), ipv6: Net.prefix("2001:db8::/105")) == nil)
        #expect(ExplicitAddressMapping(ipv4: Net.prefix("10.0.0.0/8"), ipv6: Net.prefix("2001:db8::/104")) != nil)
        #expect(ExplicitAddressMapping(ipv4: Net.prefix("2001:db8::/32"), ipv6: Net.prefix("2001:db8::/32")) == nil)
    }

    @Test
    func `ignore what follows the mapped bits of an IPv6 address`() throws {
        let address = try #require(IPv6Address("2001:db8:dddd:0:63ff:1:2:3"))
        #expect(mapper().ipv4Address(for: address)?.description == "192.0.2.152")
    }

    @Test(arguments: [
        ("10.1.2.3", false), ("192.168.0.1", false), ("100.64.0.1", false), ("192.0.2.7", false),
        ("198.18.0.1", false), ("172.16.0.1", false), ("172.32.0.1", true), ("100.128.0.1", true), ("9.9.9.9", true),
        ("198.20.0.1", true), ("192.0.1.1", true),
    ])
    func `embed only global addresses in the well-known prefix`(text: String, isEmbedded: Bool) throws {
        let address = try #require(IPv4Address(text))
        let mapper = AddressMapper(prefix: .wellKnown)
        #expect((mapper.ipv6Address(for: address) != nil) == isEmbedded)
        #expect((mapper.ipv4Address(for: TranslationPrefix.wellKnown.embedding(address)) != nil) == isEmbedded)
        #expect(AddressMapper(prefix: .wellKnown, embedsNonGlobal: true).ipv6Address(for: address) != nil)
    }

    /// RFC 7757 §4: two IPv6 hosts with explicit mappings, one of which knows the other by its IPv4 address.
    @Test
    func `let hosts with mappings meet, and their answers return`() {
        let other6 = "2001:db8:2::20"
        var translator = Net.translator([("198.51.100.20/32", "\(other6)/128")])
        let asked = "2001:db8:64::198.51.100.20"
        let packet = TestPackets.ipv6(
            Net.host6, asked, next: 17, TestPackets.udp(Net.host6, asked, (1, 2), [7]))
        let seen = "2001:db8:64::198.51.100.10"
        let expected = TestPackets.ipv6(
            seen, other6, next: 17, TestPackets.udp(seen, other6, (1, 2), [7]), hops: 62)
        #expect(translator.result(packet) == .forward(expected))
        // The other host's error about it comes back as one about the packet that was sent.
        let error = TestPackets.ipv6(
            other6, seen, next: 58, TestPackets.icmpv6(other6, seen, 1, 4, [0, 0, 0, 0], expected))
        let quoted = TestPackets.ipv6(
            Net.host6, asked, next: 17, TestPackets.udp(Net.host6, asked, (1, 2), [7]), hops: 62)
        let answer = TestPackets.ipv6(
            asked, Net.host6, next: 58, TestPackets.icmpv6(asked, Net.host6, 1, 4, [0, 0, 0, 0], quoted), hops: 62)
        #expect(translator.result(error) == .forward(answer))
        // Where IPv4 decides about them, they become that.
        var oneWay = Net.translator([("198.51.100.20/32", "\(other6)/128")], leadsBack: false)
        #expect(oneWay.result(packet).packet?.first == 0x45)
    }
}

struct `Special networks` {
    /// Both ends of every network, and what lies before and behind it.
    private static func edges(_ networks: [IPPrefix]) -> [UInt32] {
        networks.flatMap { network in
            let (first, last) = (
                UInt32(truncatingIfNeeded: network.first.bits), UInt32(truncatingIfNeeded: network.last.bits)
            )
            return [first &- 1, first, last, last &+ 1]
        }
    }

    @Test
    func `are those that the well-known prefix leaves out`() {
        let mapper = AddressMapper(prefix: .wellKnown)
        for address in Self.edges(SpecialNetworks.nonGlobal + SpecialNetworks.untranslated) {
            let address = IPv4Address(rawValue: address)
            let isNamed = SpecialNetworks.nonGlobal.contains { $0.contains(.v4(address)) }
            #expect((mapper.ipv6Address(for: address) == nil) == isNamed, "\(address)")
        }
    }

    @Test
    func `are those whose packets go nowhere`() {
        var translator = StatelessTranslator(
            mapper: AddressMapper(prefix: Net.prefix, embedsNonGlobal: true), options: Net.options())
        for rawValue in Self.edges(SpecialNetworks.nonGlobal + SpecialNetworks.untranslated) {
            let address = IPv4Address(rawValue: rawValue)
            let packet = TestPackets.ipv4(
                address.description, Net.host4, proto: 17,
                TestPackets.udp(address.description, Net.host4, (1, 2), []))
            let isNamed = SpecialNetworks.untranslated.contains { $0.contains(.v4(address)) }
            #expect((translator.result(packet) == .drop(.illegalSource)) == isNamed, "\(address)")
        }
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `of hosts that come and go are those of a dictionary`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var mapper = AddressMapper(
            explicit: [ExplicitAddressMapping(ipv4: Net.prefix("10.9.0.0/24"), ipv6: Net.prefix("fd00:9::/120"))]
                .compactMap {
                    $0
                }, prefix: nil)
        var model: [IPv4Address: IPv6Address] = [:]
        // Few addresses, so that they meet and tables fill up; some differ in their upper halves alone.
        for step in 0..<2000 {
            let ipv4 = IPv4Address(rawValue: 0x0A09_0000 + .random(in: 0..<60, using: &random))
            let half = UInt128.random(in: 1..<60, using: &random)
            let ipv6 = IPv6Address(rawValue: 0xFD00 << 112 | (Bool.random(using: &random) ? half << 64 : half))
            if Int.random(in: 0..<5, using: &random) < (step < 1000 ? 3 : 2) {
                mapper.setHost(ipv4, ipv6)
                model = model.filter { $0.value != ipv6 }
                model[ipv4] = ipv6
            } else if let (ipv4, ipv6) = model.randomElement(using: &random) {
                mapper.removeHost(ipv4, ipv6)
                model[ipv4] = nil
            } else {
                mapper.removeHost(ipv4, ipv6)
            }
            for number in 0..<60 as Range<UInt32> {
                let address = IPv4Address(rawValue: 0x0A09_0000 + number)
                let network = IPv6Address(rawValue: 0xFD00_0009 << 96 | UInt128(number))
                guard mapper.ipv6Address(for: address) == model[address] ?? network else {
                    Issue.record("step \(step) of seed \(seed): \(address)")
                    return
                }
                if let host = model[address], mapper.ipv4Address(for: host) != address {
                    Issue.record("step \(step) of seed \(seed): \(host)")
                    return
                }
            }
            if model[ipv4] != ipv6, !model.values.contains(ipv6), mapper.ipv4Address(for: ipv6) != nil {
                Issue.record("step \(step) of seed \(seed): \(ipv6) has gone")
                return
            }
        }
    }
}
