internal import Crypto
internal import Linux
package import Netlink
internal import RouteNetlink
package import WireGuard

/// Makes the WireGuard link and its peers what a plan says.
///
/// The private key lives in the kernel only, as long as the link does; a new link gets a new one.
package struct WireGuardReconciler: ~Copyable {
    private var links: RouteSocket
    private var devices: WireGuardSocket
    private var installed: [String: WireGuardPeer]?
    /// The link's number while it stands.
    package private(set) var interface: Int32?
    /// The key that other nodes must know, once the link stands.
    package private(set) var publicKey: WireGuardKey?

    /// The largest packet of a link without peers, another than any with peers can have.
    private static let idleMTU = RoutePolicy.minimumIPv6MTU - 1

    /// Works in the network namespace of the calling thread; throws `Errno.notSupported` without WireGuard.
    package init() throws(NetlinkError) {
        let links = try RouteSocket()
        let devices = try WireGuardSocket()
        self.links = links
        self.devices = devices
    }

    /// Compares link, key and peers with the kernel, and makes them what the plan says.
    package mutating func audit(_ plan: RoutePlan) throws(NetlinkError) {
        guard let port = plan.wireGuardPort else { return }
        let name = Tunnel.wireGuard.linkName
        interface = nil
        installed = nil
        // Peers are unknown as long as no key is known, and the key as long as there is no link.
        let mtu = plan.mtu(of: .wireGuard) ?? Self.idleMTU
        if try links.link(named: name) == nil {
            try links.createLink(name: name, kind: WireGuardSocket.linkKind, mtu: mtu)
        }
        guard let link = try links.link(named: name) else {
            throw NetlinkError(.noDevice, "create WireGuard link \(name)", message: "it went away")
        }
        var device = try devices.device(link.index)
        if device.publicKey == nil || device.listenPort != port {
            let key = WireGuardKey(bytes: Curve25519.KeyAgreement.PrivateKey().rawRepresentation)
            try devices.set(link.index, privateKey: device.publicKey == nil ? key : nil, listenPort: port)
            device = try devices.device(link.index)
        }
        if link.mtu != mtu { try links.setMTU(link.index, mtu) }
        if !link.isUp { try links.setUp(link.index) }
        try links.keepPodSideAddresses(plan.podSideAddresses(on: .wireGuard), on: link.index)
        let wanted = plan.wireGuardPeers
        try devices.change(link.index, Self.changes(from: device.peers, to: Set(wanted.values)))
        installed = wanted
        interface = link.index
        publicKey = device.publicKey
    }

    /// Makes the peers of some nodes what the plan says.
    package mutating func apply(_ plan: RoutePlan, to names: Set<String>) throws(NetlinkError) {
        guard let interface, let installed else { return try audit(plan) }
        self.installed = nil
        // The first peer brings the link its MTU and addresses.
        if let mtu = plan.mtu(of: .wireGuard), try links.link(at: interface)?.mtu != mtu { return try audit(plan) }
        let before = Set(names.compactMap { installed[$0] })
        let after = Set(names.compactMap { plan.peer($0)?.wireGuardPeer })
        try devices.change(interface, Self.changes(from: before, to: after))
        self.installed = installed
        for name in names { self.installed?[name] = plan.peer(name)?.wireGuardPeer }
    }

    /// The changes that make some peers others; those that go come first, because an address has one peer.
    package static func changes(
        from present: Set<WireGuardPeer>, to wanted: Set<WireGuardPeer>
    ) -> [WireGuardMessage.PeerChange] {
        let kept = Set(wanted.map(\.publicKey))
        return present.map(\.publicKey).filter { !kept.contains($0) }.map { .remove($0) }
            + wanted.subtracting(present).map { .set($0) }
    }
}
