import Addresses
import Foundation
import Testing

@Suite struct `Prefixes` {
    @Test(arguments: [
        "10.0.0.1/8", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "fd00::1/64", "fd00::/129", "/8",
        "10.0.0.0/+8", "10.0.0.0/8/8",
    ])
    func `Malformed prefixes are refused`(text: String) {
        #expect(IPPrefix(text) == nil)
    }

    @Test(arguments: [
        ("10.1.2.3/8", "10.0.0.0/8"), ("0.0.0.0/0", "0.0.0.0/0"), ("10.1.2.3/32", "10.1.2.3/32"),
        ("fd00::1/64", "fd00::/64"),
        ("::/0", "::/0"), ("fd00::1/128", "fd00::1/128"),
    ])
    func `Host bits are masked on request`(text: String, canonical: String) {
        #expect(IPPrefix(masking: text)?.description == canonical)
        #expect(InterfaceAddress(text)?.description == text)
    }

    @Test func `First, last and mask`() throws {
        let v4 = try #require(IPPrefix("10.244.3.0/24"))
        #expect(v4.first.description == "10.244.3.0")
        #expect(v4.last.description == "10.244.3.255")
        #expect(v4.mask.description == "255.255.255.0")
        let v6 = try #require(IPPrefix("fd00:10:244::/56"))
        #expect(v6.last.description == "fd00:10:244:ff:ffff:ffff:ffff:ffff")
        #expect(v6.mask.description == "ffff:ffff:ffff:ff00::")
        let all = try #require(IPPrefix("::/0"))
        #expect(all.last.description == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
    }

    @Test(arguments: [
        ("10.0.0.0/8", "10.1.0.0/16", true, true), ("10.1.0.0/16", "10.0.0.0/8", false, true),
        ("10.0.0.0/8", "11.0.0.0/8", false, false), ("0.0.0.0/0", "1.2.3.4/32", true, true),
        ("0.0.0.0/0", "::/0", false, false), ("fd00::/8", "fd00:1::/64", true, true),
    ])
    func `Containment and overlap`(left: String, right: String, contains: Bool, overlaps: Bool) throws {
        let left = try #require(IPPrefix(left))
        let right = try #require(IPPrefix(right))
        #expect(left.contains(right) == contains)
        #expect(left.overlaps(right) == overlaps)
        #expect(right.overlaps(left) == overlaps)
    }

    @Test func `Subnets are numbered`() throws {
        let cluster = try #require(IPPrefix("10.244.0.0/16"))
        #expect(cluster.subnet(at: 3, length: 24)?.description == "10.244.3.0/24")
        #expect(cluster.subnet(at: 255, length: 24)?.description == "10.244.255.0/24")
        #expect(cluster.subnet(at: 256, length: 24) == nil)
        #expect(cluster.subnet(at: 0, length: 8) == nil)
        #expect(cluster.subnet(at: 0, length: 33) == nil)
        let v6 = try #require(IPPrefix("fd00:10:244::/56"))
        let subnet = try #require(v6.subnet(at: 0xAB, length: 64))
        #expect(subnet.description == "fd00:10:244:ab::/64")
        #expect(v6.index(of: subnet) == 0xAB)
        #expect(v6.index(of: cluster) == nil)
        #expect(subnet.address(at: 1)?.description == "fd00:10:244:ab::1")
        #expect(subnet.address(at: 1 << 64) == nil)
        #expect(subnet.offset(of: subnet.last) == UInt128(UInt64.max))
        let everything = try #require(IPPrefix("::/0"))
        #expect(everything.subnet(at: 0, length: 0) == everything)
        #expect(everything.index(of: everything) == 0)
        #expect(everything.subnet(at: .max, length: 128)?.first == everything.last)
    }

    @Test func `Values travel as text in JSON`() throws {
        let json = Data(#"["10.0.0.0\/8","fd00::\/64"]"#.utf8)
        let prefixes = try JSONDecoder().decode([IPPrefix].self, from: json)
        #expect(try JSONDecoder().decode([IPPrefix].self, from: JSONEncoder().encode(prefixes)) == prefixes)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode([IPAddress].self, from: Data(#"["10.0.0.300"]"#.utf8))
        }
        #expect(try JSONDecoder().decode([IPFamily].self, from: Data(#"["IPv6","IPv4"]"#.utf8)) == [.ipv6, .ipv4])
    }
}
