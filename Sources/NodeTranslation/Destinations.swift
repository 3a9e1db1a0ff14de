package import Addresses
internal import Translation

/// Which IPv4 destinations pods may be translated to, and why not to others.
package struct Destinations: Hashable, Sendable {
    /// Why a packet is refused.
    package enum Reason: String, Hashable, Sendable, CaseIterable {
        /// It is for pods: of the cluster, or by the private addresses of this node.
        case pods
        /// It is for a Service's cluster address.
        case services
        /// It is for a node, this one included.
        case nodes
        /// It is for a network that is private or means something of its own, which the well-known prefix may not stand
        /// for either (RFC 6052 §3.1).
        case special
    }

    /// Adjacent addresses that share a fate: a reason to be refused, or none where they are allowed.
    package struct Span: Hashable, Sendable {
        package let first: IPv4Address
        package let last: IPv4Address
        package let reason: Reason?
    }

    /// The spans in order; what is in none is allowed as well.
    package let spans: [Span]

    /// Lets the longest of the networks that hold an address decide; of equal ones an allowed one, then the first
    /// reason.
    package init(allowed: [IPPrefix], refused: [Reason: Set<IPPrefix>]) {
        var fates: [IPPrefix: Reason?] = [:]
        for network in SpecialNetworks.nonGlobal { fates.updateValue(.special, forKey: network) }
        for reason in Reason.allCases.reversed() {
            for network in refused[reason] ?? [] where network.family == .ipv4 {
                fates.updateValue(reason, forKey: network)
            }
        }
        for network in allowed { fates.updateValue(nil, forKey: network) }
        spans = Self.flatten(fates)
    }

    private static func flatten(_ fates: [IPPrefix: Reason?]) -> [Span] {
        let map = PrefixMap(fates.map { (prefix: $0.key, value: $0.value) })
        // The fate of addresses changes at these alone.
        let ends = UInt64(UInt32.max) + 1
        var starts: Set<UInt64> = []
        for network in fates.keys {
            starts.insert(UInt64(network.first.bits))
            starts.insert(UInt64(network.last.bits) + 1)
        }
        let sorted = starts.sorted()
        var spans: [Span] = []
        for (index, start) in sorted.enumerated() where start < ends {
            guard let entry = map.index(ofBits: UInt128(start)) else { continue }
            let behind = index + 1 < sorted.count ? sorted[index + 1] : ends
            let reason = map.entries[entry].value
            var first = IPv4Address(rawValue: UInt32(start))
            if let before = spans.last, before.reason == reason, UInt64(before.last.rawValue) + 1 == start {
                first = before.first
                spans.removeLast()
            }
            spans.append(Span(first: first, last: IPv4Address(rawValue: UInt32(behind - 1)), reason: reason))
        }
        return spans
    }
}
