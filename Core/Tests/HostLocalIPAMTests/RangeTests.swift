import Addresses
import CNI
import HostLocalIPAM
import TestSupport
import Testing

@Suite struct `A range set` {
    private func set(_ subnets: String...) throws -> RangeSet {
        try RangeSet(subnets.map { try AddressRange(subnet: $0) })
    }

    @Test(arguments: [
        ("10.0.0.0/24", "10.0.0.1-10.0.0.254", "10.0.0.1"), ("10.0.0.4/30", "10.0.0.5-10.0.0.6", "10.0.0.5"),
        ("fd00::/64", "fd00::1-fd00::ffff:ffff:ffff:ffff", "fd00::1"), ("fd00::4/126", "fd00::5-fd00::7", "fd00::5"),
        ("0.0.0.0/0", "0.0.0.1-255.255.255.254", "0.0.0.1"),
    ])
    func `has the reference's defaults`(subnet: String, text: String, gateway: String) throws {
        let range = try AddressRange(subnet: subnet)
        #expect(range.description == text)
        #expect(range.gateway == IPAddress(gateway))
    }

    @Test(arguments: [
        ("10.0.0.0/31", "Network 10.0.0.0/31 too small to allocate from"),
        ("fd00::/127", "Network fd00::/127 too small to allocate from"),
        (
            "10.0.0.1/24",
            "Network has host bits set. For a subnet mask of length 24 the network address is 10.0.0.0"
        ),
        ("10.0.0.0", "invalid CIDR address: 10.0.0.0"), ("", "invalid CIDR address: "),
        ("::ffff:10.0.0.0/120", "IPNet IP and Mask version mismatch"),
    ])
    func `refuses subnets with the reference's texts`(subnet: String, message: String) {
        #expect(throws: CNIError(message)) { try AddressRange(subnet: subnet) }
    }

    @Test(
        arguments: [
            ("10.1.0.1", nil, "RangeStart 10.1.0.1 not in network 10.0.0.0/24"),
            (nil, "10.1.0.1", "RangeEnd 10.1.0.1 not in network 10.0.0.0/24"),
            ("10.0.0.9", "10.0.0.8", "RangeStart 10.0.0.9 not in network 10.0.0.0/24"),
            ("fd00::1", nil, "RangeStart fd00::1 not in network 10.0.0.0/24"),
        ] as [(String?, String?, String)])
    func `refuses bounds outside the subnet`(first: String?, last: String?, message: String) {
        #expect(throws: CNIError(message)) {
            try AddressRange(
                subnet: "10.0.0.0/24", first: first.flatMap { IPAddress($0) }, last: last.flatMap { IPAddress($0) })
        }
    }

    @Test func `refuses mixed families, overlaps and emptiness`() throws {
        #expect(throws: CNIError("mixed address families")) { try set("10.0.0.0/24", "fd00::/64") }
        #expect(throws: CNIError("empty range set")) { try RangeSet([]) }
        #expect(throws: CNIError("subnets 10.9.0.1-10.9.0.254 and 10.9.0.1-10.9.255.254 overlap")) {
            try set("10.9.0.0/24", "10.9.0.0/16")
        }
    }

    /// What the reference does: step from the last address, wrap, skip gateways, give up when back at the start.
    private func model(_ set: RangeSet, after previous: IPAddress?, taken: Set<IPAddress>) -> IPAddress? {
        let all = set.ranges.flatMap { range in
            (range.first.bits...range.last.bits).map { (IPAddress(family: set.family, bits: $0), range) }
        }
        let start = previous.flatMap { last in all.firstIndex { $0.0 == last } }.map { $0 + 1 } ?? 0
        return (0..<all.count).map { all[($0 + start) % all.count] }
            .first { !taken.contains($0.0) && $0.0 != $0.1.gateway }?.0
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `goes round as a list of all addresses would`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let set =
            seed.isMultiple(of: 2)
            ? try set("10.0.0.0/29", "10.0.0.16/30") : try set("fd00::/125", "fd00::10/126", "fd00::20/126")
        let all = set.ranges.flatMap { range in
            (range.first.bits...range.last.bits).map { IPAddress(family: set.family, bits: $0) }
        }
        for _ in 0..<50 {
            let density = Int.random(in: 0...100, using: &random)
            let taken = Set(all.filter { _ in Int.random(in: 0..<100, using: &random) < density })
            let previous = Bool.random(using: &random) ? all.randomElement(using: &random) : IPAddress("192.0.2.1")
            let found = set.next(after: previous) { taken.contains($0.address) }
            #expect(found?.address == model(set, after: previous, taken: taken), "seed \(seed)")
        }
    }

    @Test func `finds a free address in a huge subnet at once`() throws {
        let set = try set("fd00::/64")
        let taken = Set((1..<1000).map { IPAddress(family: .ipv6, bits: set.ranges[0].subnet.first.bits + $0) })
        var calls = 0
        let found = set.next(after: nil) { candidate in
            calls += 1
            return taken.contains(candidate.address)
        }
        #expect(found?.address == IPAddress("fd00::3e8"))
        #expect(calls == 999)
    }
}
