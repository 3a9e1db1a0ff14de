import Addresses
import TestSupport
import Testing

struct `Translation prefixes` {
    @Test(arguments: [
        // RFC 6052 §2.4, table 2
        ("2001:db8::/32", "2001:db8:c000:221::"),
        ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::c000:221"),
        // §2.4, table 3
        ("64:ff9b::/96", "64:ff9b::c000:221"),
    ])
    func `embed addresses as in the RFC`(prefix: String, expected: String) throws {
        let network = try #require(IPPrefix(prefix))
        let prefix = try #require(TranslationPrefix(network))
        let inner = try #require(IPv4Address("192.0.2.33"))
        let outer = try #require(IPv6Address(expected))
        #expect(prefix.embedding(inner) == outer)
        #expect(prefix.extracting(from: outer) == inner)
        #expect(prefix.contains(outer))
    }

    @Test(arguments: ["2001:db8::/33", "2001:db8::/128", "::/0", "10.0.0.0/8", "2001:db8:0:0:100::/96"])
    func `of other lengths or with a filled reserved octet do not exist`(text: String) throws {
        let network = try #require(IPPrefix(text))
        #expect(TranslationPrefix(network) == nil)
    }

    @Test(
        arguments: [
            ("fd00:1::/64", "fd00:1::ff:ffff:0:0/96", "bits 64 to 71 are zero"),
            ("fd00:1:0:100::/56", "fd00:1:0:1ff:ff:ffff::/96", "the last of several links"),
            ("fd00:1:0:0:aa::/80", "fd00:1::aa:ffff:0:0/96", "a part of a link"),
            ("fd00:1:0:0:aa:aa00::/88", "fd00:1:0:0:aa:aaff::/96", "the least that has room"),
            ("fd00:1:0:0:aa:aa00::/89", nil, "too much of it would be gone"),
            ("fd00:1:0:0:aa00::/72", nil, "bits 64 to 71 are others"),
            ("10.0.0.0/8", nil, "no IPv6 block"),
        ] as [(String, String?, String)])
    func `of callers are the last of a block`(block: String, callers: String?, remark: String) throws {
        let block = try #require(IPPrefix(block))
        #expect(block.callers?.prefix == callers.flatMap { IPPrefix($0) })
        #expect(block.callers.map { block.contains($0.prefix) } ?? true)
    }

    @Test
    func `know their well-known one`() throws {
        let network = try #require(IPPrefix("64:ff9b::/96"))
        #expect(TranslationPrefix.wellKnown == TranslationPrefix(network))
    }

    @Test(arguments: TranslationPrefix.lengths)
    func `give back what they embed, whatever the suffix`(length: Int) throws {
        var generator = SeededGenerator(seed: UInt64(length))
        for _ in 0..<500 {
            let bits = UInt128.random(in: 0...(.max), using: &generator) & ~(0xFF << 56)
            let prefix = try #require(
                TranslationPrefix(IPPrefix(.v6(IPv6Address(rawValue: bits)), length: length)))
            let inner = IPv4Address(rawValue: .random(in: 0...(.max), using: &generator))
            let outer = prefix.embedding(inner)
            #expect(outer.rawValue >> 56 & 0xFF == 0, "\(prefix.prefix) \(inner)")
            let suffixBits = UInt128(length == 96 ? 0 : 88 - length)
            let suffix = UInt128.random(in: 0...(.max), using: &generator) & ((1 << suffixBits) - 1)
            #expect(
                prefix.extracting(from: IPv6Address(rawValue: outer.rawValue | suffix)) == inner,
                "\(prefix.prefix) \(inner)")
            #expect(prefix.extracting(from: IPv6Address(rawValue: outer.rawValue ^ 1 << 127)) == nil)
        }
    }
}

struct `Prefix maps` {
    @Test(arguments: UInt64(1)...6)
    func `find the longest network that holds an address`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let family: IPFamily = seed % 2 == 0 ? .ipv4 : .ipv6
        for size in [0, 1, 2, 5, 40] {
            // Few different bits, so that networks lie inside each other and share their ends.
            let entries = (0..<size).map { index in
                let high = UInt128.random(in: 0..<16, using: &generator) << UInt128(family.bitWidth - 4)
                let low = Bool.random(using: &generator) ? UInt128(family == .ipv4 ? 0xFFFF : UInt32.max) : 0
                let length =
                    [0, 1, 2, 3, 4, family.bitWidth - 8, family.bitWidth].randomElement(using: &generator) ?? 0
                return (IPPrefix(IPAddress(family: family, bits: high | low), length: length), index)
            }
            let map = PrefixMap(entries.map { (prefix: $0.0, value: $0.1) })
            #expect(map.isEmpty == (size == 0))
            let probes = entries.flatMap { [$0.0.first, $0.0.last, $0.0.last.advanced(by: 1) ?? $0.0.first] }
            for probe in probes {
                let longest = entries.filter { $0.0.contains(probe) }.max {
                    ($0.0.length, $0.1) < ($1.0.length, $1.1)
                }
                let found = map.index(ofBits: probe.bits).map { map.entries[$0].value }
                #expect(found == longest?.1, "seed \(seed), \(probe) in \(entries.map { "\($0.0)" })")
            }
        }
    }
}
