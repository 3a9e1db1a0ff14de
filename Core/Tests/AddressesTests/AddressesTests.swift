import Addresses
import TestSupport
import Testing

@Suite struct `Address text` {
    @Test(
        arguments: [
            ("0.0.0.0", 0), ("127.0.0.1", 0x7F00_0001), ("255.255.255.255", 0xFFFF_FFFF), ("192.0.2.33", 0xC000_0221),
        ] as [(String, UInt32)])
    func `IPv4 text and number agree`(text: String, value: UInt32) {
        #expect(IPv4Address(text)?.rawValue == value)
        #expect(IPv4Address(rawValue: value).description == text)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.04", "1..3.4", ".1.2.3", "1.2.3.", "1.2.3.4 ",
        " 1.2.3.4", "+1.2.3.4", "1.2.3.-4", "0x1.2.3.4", "1.2.3.4/8", "1.2.3.4294967297", "١.2.3.4",
        ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
        "12345::", "g::", "::1%eth0", "[::1]", "::1 ", "1:", ":1", "1:2:3:4:5:6:7:", "::1.2.3", "::1.2.3.4.5",
        "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4", "::ffff:1.2.3.4:5", "::-1", "0::00000",
    ])
    func `Malformed text is refused`(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("::", "::"), ("0:0:0:0:0:0:0:0", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::A", "2001:db8::a"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),  // the first of two equal runs
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),  // the longest run
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),  // a single group stays
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("fe80:0:0:0:0204:61ff:fe9d:f156", "fe80::204:61ff:fe9d:f156"),
        ("::ffff:10.1.2.3", "::ffff:10.1.2.3"), ("::ffff:a01:203", "::ffff:10.1.2.3"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:255.0.0.1", "1:2:3:4:5:6:ff00:1"),
    ])
    func `IPv6 text is canonical`(text: String, canonical: String) {
        #expect(IPv6Address(text)?.description == canonical)
    }

    @Test(arguments: [
        ("010.096.000.001", "10.96.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("::ffff:010.0.0.1", "10.0.0.1"),
        ("fd00::1", "fd00::1"), ("1.2.3.4", "1.2.3.4"),
    ])
    func `Sloppy text is read as Kubernetes reads it`(text: String, canonical: String) {
        #expect(IPAddress(sloppy: text)?.description == canonical)
    }

    @Test(arguments: [
        ("192.0.2.33", "33.2.0.192.in-addr.arpa", "192.0.2.33"),
        (
            "2001:db8::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
            "[2001:db8::1]"
        ),
    ])
    func `Reverse names and URI hosts`(text: String, reverse: String, host: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.reverseName == reverse)
        #expect(address.uriHost == host)
    }

    @Test(arguments: UInt64(1)...4)
    func `Text and bytes give the address back`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let address = IPAddress.random(using: &generator)
            #expect(IPAddress(address.description) == address, "seed \(seed)")
            #expect(IPAddress(bytes: address.bytes) == address, "seed \(seed)")
            #expect(IPAddress(family: address.family, bits: address.bits) == address, "seed \(seed)")
        }
    }
}

@Suite struct `Address values` {
    @Test func `Other byte counts are no address`() {
        for count in 0...20 where count != 4 && count != 16 {
            #expect(IPAddress(bytes: [UInt8](repeating: 1, count: count)) == nil)
        }
    }

    @Test func `Advancing stops at the end of the family`() {
        #expect(IPAddress("255.255.255.254")?.advanced(by: 1)?.description == "255.255.255.255")
        #expect(IPAddress("255.255.255.255")?.advanced(by: 1) == nil)
        #expect(IPAddress("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")?.advanced(by: 1) == nil)
        #expect(IPAddress("fd00::ffff")?.advanced(by: 1)?.description == "fd00::1:0")
    }

    @Test(arguments: [
        // text, unspecified, loopback, link-local, multicast, link-local multicast, private
        ("0.0.0.0", [true, false, false, false, false, false]), ("::", [true, false, false, false, false, false]),
        ("127.8.0.1", [false, true, false, false, false, false]), ("::1", [false, true, false, false, false, false]),
        ("169.254.7.7", [false, false, true, false, false, false]),
        ("febf::1", [false, false, true, false, false, false]),
        ("fec0::1", [false, false, false, false, false, false]),
        ("224.0.0.251", [false, false, false, true, true, false]),
        ("239.1.1.1", [false, false, false, true, false, false]),
        ("ff02::1", [false, false, false, true, true, false]), ("ff15::1", [false, false, false, true, false, false]),
        ("10.1.1.1", [false, false, false, false, false, true]),
        ("172.31.0.1", [false, false, false, false, false, true]),
        ("172.32.0.1", [false, false, false, false, false, false]),
        ("192.168.0.1", [false, false, false, false, false, true]),
        ("fd00::1", [false, false, false, false, false, true]), ("2001:db8::1", [Bool](repeating: false, count: 6)),
    ])
    func `Addresses know their class`(text: String, expected: [Bool]) throws {
        let address = try #require(IPAddress(text))
        let classes = [
            address.isUnspecified, address.isLoopback, address.isLinkLocalUnicast, address.isMulticast,
            address.isLinkLocalMulticast, address.isPrivate,
        ]
        #expect(classes == expected)
    }

    @Test func `IPv4 sorts before IPv6`() throws {
        let texts = ["::", "10.0.0.2", "fd00::1", "10.0.0.1"]
        #expect(
            texts.compactMap { IPAddress($0) }.sorted().map(\.description) == ["10.0.0.1", "10.0.0.2", "::", "fd00::1"])
        #expect(IPFamily.ipv4 < .ipv6)
        #expect(IPFamily(name: "IPv6") == .ipv6)
        #expect(IPFamily(name: "ipv6") == nil)
    }
}

extension IPAddress {
    /// An address of either family with many zero groups, so that compression is met often.
    static func random(using generator: inout SeededGenerator) -> IPAddress {
        if Bool.random(using: &generator) {
            return IPAddress(family: .ipv4, bits: UInt128(UInt32.random(in: 0...UInt32.max, using: &generator)))
        }
        var bits: UInt128 = 0
        for _ in 0..<8 {
            let group = Bool.random(using: &generator) ? 0 : UInt16.random(in: 0...UInt16.max, using: &generator)
            bits = bits << 16 | UInt128(group >> Int.random(in: 0...12, using: &generator))
        }
        return IPAddress(family: .ipv6, bits: bits)
    }
}
