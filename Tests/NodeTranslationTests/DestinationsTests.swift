import Addresses
import NodeTranslation
import TestSupport
import Testing
import Translation

@Suite("Destinations that pods may be translated to")
struct DestinationsTests {
    private func networks(_ texts: [String]) -> [IPPrefix] { texts.compactMap { IPPrefix($0) } }

    private func reason(_ destinations: Destinations, _ text: String) -> Destinations.Reason? {
        guard let address = IPv4Address(text) else { return nil }
        return destinations.spans.first { $0.first <= address && address <= $0.last }?.reason
    }

    @Test(
        "Are all but special ones, the cluster's, and what lies in them is what the longest network says",
        arguments: [
            ("8.8.8.8", nil, "somewhere"), ("203.0.114.1", nil, "behind a special network"),
            ("10.1.2.3", nil, "allowed, although private"), ("192.168.1.1", .special, "private"),
            ("127.0.0.1", .special, "this host"), ("224.0.0.1", .special, "a group"),
            ("255.255.255.255", .special, "the last address"), ("0.0.0.0", .special, "the first address"),
            ("10.244.3.4", .pods, "a pod, inside what is allowed"), ("10.96.0.10", .services, "a Service"),
            ("172.20.0.2", .nodes, "a node"), ("172.20.0.3", .special, "beside a node"),
            ("198.51.100.7", nil, "a node, but allowed itself"), ("100.127.0.5", .pods, "a private address of a pod"),
        ] as [(String, Destinations.Reason?, String)])
    func table(address: String, expected: Destinations.Reason?, remark: String) {
        let destinations = Destinations(
            allowed: networks(["10.0.0.0/8", "198.51.100.7/32"]),
            refused: [
                .pods: Set(networks(["10.244.0.0/16", "100.127.0.0/16", "fd00::/64"])),
                .services: Set(networks(["10.96.0.0/16"])),
                .nodes: Set(networks(["172.20.0.2/32", "198.51.100.7/32"])),
            ])
        #expect(reason(destinations, address) == expected, "\(remark)")
    }

    @Test(
        "Are in spans in order, apart, as long as they can be, that say what the longest network says",
        arguments: 1...5 as ClosedRange<UInt64>)
    func property(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        func network() -> IPPrefix {
            // Few bits, so that many lie in each other.
            let length = Int.random(in: 0...10, using: &random)
            let bits = UInt128.random(in: 0..<1 << UInt128(length), using: &random) << UInt128(32 - length)
            return IPPrefix(IPAddress(family: .ipv4, bits: bits), length: length)
        }
        let allowed = (0..<8).map { _ in network() }
        var refused: [Destinations.Reason: Set<IPPrefix>] = [:]
        for reason in Destinations.Reason.allCases { refused[reason] = Set((0..<5).map { _ in network() }) }
        let destinations = Destinations(allowed: allowed, refused: refused)
        for (span, next) in zip(destinations.spans, destinations.spans.dropFirst()) {
            #expect(span.first <= span.last && span.last < next.first, "seed \(seed)")
            #expect(span.last.rawValue + 1 < next.first.rawValue || span.reason != next.reason, "seed \(seed)")
        }
        // Those that count first come first.
        var fates: [(networks: [IPPrefix], reason: Destinations.Reason?)] = [(allowed, nil)]
        for reason in Destinations.Reason.allCases { fates.append((Array(refused[reason] ?? []), reason)) }
        fates.append((SpecialNetworks.nonGlobal, .special))
        for _ in 0..<200 {
            let address = IPv4Address(rawValue: UInt32.random(in: 0...UInt32.max, using: &random))
            let lengths = fates.map { fate in
                fate.networks.filter { $0.contains(.v4(address)) }.map(\.length).max() ?? -1
            }
            let longest = lengths.max() ?? -1
            let expected = longest < 0 ? nil : fates[lengths.firstIndex(of: longest) ?? 0].reason
            #expect(reason(destinations, address.description) == expected, "seed \(seed): \(address)")
        }
    }
}
