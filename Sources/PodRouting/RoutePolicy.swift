/// How packets between pods on different nodes cross the network between the nodes.
public enum RouteMode: String, CaseIterable, Sendable {
    /// `direct` to nodes on a shared link, `vxlan` to all others.
    case auto
    /// The nodes' network carries the pods' packets as they are.
    case direct
    /// Packets between nodes are wrapped (RFC 7348).
    case vxlan
    /// Packets between nodes are encrypted.
    case wireguard
}

/// What decides about routes besides the nodes themselves.
package struct RoutePolicy: Hashable, Sendable {
    /// The way between nodes.
    package var mode: RouteMode
    /// Whether routers know the nodes' pod blocks, so that nodes on other links are reached without a route of ours.
    package var routersKnowPods: Bool
    /// The UDP port of VXLAN.
    package var vxlanPort: UInt16
    /// The UDP port of WireGuard.
    package var wireGuardPort: UInt16

    /// The table of the routes that translated packets take to their gateway; the protocol number of Duet's translation.
    package static let translatedTable: UInt32 = 69
    /// The number of the virtual network.
    package static let vxlanID: UInt32 = 68
    /// The largest packet that every IPv6 link carries (RFC 8200, 5).
    package static let minimumIPv6MTU = 1280
    /// The largest packet that every IPv4 host takes (RFC 791).
    package static let minimumIPv4MTU = 576

    /// Describes a policy.
    package init(
        mode: RouteMode = .auto, routersKnowPods: Bool = false, vxlanPort: UInt16 = 4789,
        wireGuardPort: UInt16 = 51820
    ) {
        self.mode = mode
        self.routersKnowPods = routersKnowPods
        self.vxlanPort = vxlanPort
        self.wireGuardPort = wireGuardPort
    }
}
