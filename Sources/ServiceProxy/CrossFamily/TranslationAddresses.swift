package import Addresses

/// The addresses of one node by which Services reach endpoints of the other family.
///
/// ```
/// IPv4 caller     c ──► stand-in of the endpoint e            prefix::c ──► e     IPv6 endpoint
/// IPv6 caller   own ──► prefix::e                               caller  ──► e     IPv4 endpoint
/// ```
///
/// The kernel's connection tracking has put the stand-in in the place of the Service's address before, and `own` in that of
/// the IPv6 caller; behind the translator it puts the node's IPv4 address in the place of `caller`. So all that the
/// translator does depends on addresses alone, and it keeps no state of connections.
package struct TranslationAddresses: Hashable, Sendable {
    /// IPv4 addresses, of which each stands for an IPv6 endpoint.
    package let standIns: IPPrefix
    /// What the IPv4 addresses of callers and of endpoints are embedded in.
    package let prefix: TranslationPrefix
    /// Whether answers to embedded callers find this node by themselves, from wherever an endpoint is.
    package let isRouted: Bool

    /// Of RFC 8215's prefix for such use, on nodes without a block of IPv6 pods that has room.
    private static let unrouted = IPPrefix(IPAddress(family: .ipv6, bits: 0x0064_FF9B_0001_D0E7 << 64), length: 96)
    /// The first stand-in for an endpoint, counted from the beginning of the range.
    static let firstStandIn: UInt128 = 16

    /// The addresses of a node with these blocks of pods, of which the first one with room is used.
    package init?(_ options: CrossFamilyOptions, podBlocks: some Sequence<IPPrefix>) {
        standIns = options.standIns
        let routed = podBlocks.lazy.compactMap(\.callers).first
        guard let prefix = routed ?? TranslationPrefix(Self.unrouted) else { return nil }
        self.prefix = prefix
        isRouted = routed != nil
    }

    /// What is routed to the translator in a family.
    package func range(_ family: IPFamily) -> IPPrefix {
        family == .ipv4 ? standIns : prefix.prefix
    }

    /// The address of a family that the node has on the translator's link: that of callers without one that could be kept.
    package func own(_ family: IPFamily) -> IPAddress {
        // No host has the address 0.0.0.1 that is embedded here.
        IPAddress(family: family, bits: range(family).address.bits + 1)
    }

    /// The IPv4 address that stands for `own(.ipv6)`.
    package var caller: IPAddress { IPAddress(family: .ipv4, bits: standIns.address.bits + 2) }

    /// The sources that must not leave the node, because no answer to them would come back; nil when there are none.
    package func unanswered(_ family: IPFamily) -> IPPrefix? {
        switch family {
        case .ipv4: IPPrefix(caller, length: 32)
        case .ipv6: isRouted ? nil : prefix.prefix
        }
    }

    /// The source that a translated endpoint sees of a caller; nil for the node's own on the way to it.
    func source(of caller: IPAddress) -> IPAddress? {
        guard case .v4(let address) = caller, isRouted else { return nil }
        return .v6(prefix.embedding(address))
    }

    /// How stand-ins of a family are found.
    func scheme(_ family: IPFamily) -> StandIns.Scheme {
        family == .ipv4 ? .drawn(from: standIns) : .embedded(in: prefix)
    }
}
