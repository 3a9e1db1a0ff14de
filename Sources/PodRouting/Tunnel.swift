package import Addresses
internal import Crypto
package import RouteNetlink

/// A link of Duet's that carries wrapped packets to other nodes.
package enum Tunnel: Hashable, Sendable {
    /// VXLAN over an underlay of one family; the pods' packets inside are of both.
    case vxlan(IPFamily)
    /// WireGuard; each peer has an endpoint of either family.
    case wireGuard

    /// All tunnels that there can be.
    package static let all: [Tunnel] = IPFamily.allCases.map(Tunnel.vxlan) + [.wireGuard]

    /// The tunnel whose link has a name.
    package init?(linkName: String) {
        guard let tunnel = Self.all.first(where: { $0.linkName == linkName }) else { return nil }
        self = tunnel
    }

    /// What the names of all VXLAN links begin with.
    package static let vxlanLinkPrefix = "duet-vxlan"

    /// The name of the link.
    package var linkName: String {
        switch self {
        case .vxlan(let underlay): "\(Self.vxlanLinkPrefix)\(underlay.rawValue)"
        case .wireGuard: "duet-wireguard"
        }
    }
}

/// What every node can derive of another without being told.
package enum TunnelIdentity {
    /// A node's link-layer address on the VXLAN link over an underlay: a locally administered one, from the node's name.
    package static func mac(ofNode name: String, underlay: IPFamily) -> MACAddress {
        let digest = SHA256.hash(data: Array("duet vxlan \(underlay.rawValue) \(name)".utf8))
        let bits = digest.prefix(6).reduce(0) { $0 << 8 | UInt64($1) }
        // IEEE 802: locally administered, and for one station.
        return MACAddress(rawValue: bits & 0xfcff_ffff_ffff | 0x0200_0000_0000)
    }

    /// The link-local address that a station of this address gives itself (RFC 4291, appendix A).
    package static func linkLocalAddress(_ mac: MACAddress) -> IPAddress {
        let upper = UInt128(mac.rawValue >> 24 ^ 0x2_0000)
        let lower = UInt128(mac.rawValue & 0xff_ffff)
        return IPAddress(family: .ipv6, bits: 0xfe80 << 112 | upper << 40 | 0xfffe << 24 | lower)
    }

    /// The address of a node among its own pods: the first of its first block, which no pod gets.
    ///
    /// `nil` without a block of the family, or with one of a single address.
    package static func podSideAddress(of node: ClusterNode, _ family: IPFamily) -> IPAddress? {
        node.podPrefixes.first { $0.family == family && $0.hostBits > 0 }?.first
    }
}
