import Addresses
import DNSResolution
import TestSupport
import Testing

@Suite struct `Clients' networks` {
    @Test(arguments: UInt64(1)...4)
    func `are found by the longest that holds an address, after any changes`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let kinds: [ClientNetwork?] = [.others, .pods([.ipv4]), .pods([.ipv6]), .pods([.ipv4, .ipv6]), nil]
        var prefixes = ClientPrefixes(families: [.ipv4])
        var plain: [IPPrefix: ClientNetwork] = [:]
        for _ in 0..<2000 {
            // Few bits, so that networks hold each other and come again.
            let family = IPFamily.allCases.randomElement(using: &generator) ?? .ipv4
            let bits = UInt128.random(in: 0..<64, using: &generator) << UInt128(family.bitWidth - 7)
            let length = [3, 5, 6, 7, family.bitWidth].randomElement(using: &generator) ?? 3
            let prefix = IPPrefix(IPAddress(family: family, bits: bits), length: length)
            let kind = kinds.randomElement(using: &generator) ?? nil
            let copy = prefixes
            prefixes.set(prefix, kind)
            plain[prefix] = kind
            #expect(prefixes.count == plain.count)
            let address = IPAddress(family: family, bits: bits | UInt128.random(in: 0...1, using: &generator))
            #expect(copy.count == plain.count || copy.count == plain.count - 1 || copy.count == plain.count + 1)
            let longest = plain.keys.filter { $0.contains(address) }.max { $0.length < $1.length }
            let expected: Set<IPFamily>? =
                switch longest.flatMap({ plain[$0] }) {
                case .pods(let families): families
                case .others: [.ipv4]
                case nil: address.isLoopback ? [.ipv4] : nil
                }
            #expect(prefixes.families(of: address) == expected, "seed \(seed): \(address)")
        }
    }

    @Test func `do not keep this machine from asking itself`() {
        var prefixes = ClientPrefixes(families: [.ipv6])
        #expect(prefixes.families(of: .loopback(.ipv4)) == [.ipv6])
        prefixes.families = [.ipv4, .ipv6]
        #expect(prefixes.families(of: .loopback(.ipv6)) == [.ipv4, .ipv6])
    }
}
