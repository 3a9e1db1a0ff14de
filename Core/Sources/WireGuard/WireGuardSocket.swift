internal import Addresses
internal import CLinux
internal import Linux
public import Netlink

/// The WireGuard devices of the network namespace of the thread that opens the socket.
public struct WireGuardSocket: ~Copyable, Sendable {
    private var netlink: NetlinkSocket
    private let family: UInt16

    /// The kind of such links, as `RouteSocket.createLink` takes it.
    public static let linkKind = "wireguard"

    /// Opens a socket; throws `Errno.notSupported` when this kernel has no WireGuard.
    public init() throws(NetlinkError) {
        var netlink = try NetlinkSocket(.generic)
        guard let family = try netlink.genericFamily(named: WG_GENL_NAME) else {
            throw NetlinkError(
                .notSupported, "use WireGuard",
                message: "this kernel has none: load its module \"wireguard\", or take another route mode")
        }
        self.netlink = netlink
        self.family = family
    }

    /// A device's key, port and peers.
    public mutating func device(_ interface: Int32) throws(NetlinkError) -> WireGuardDevice {
        WireGuardDevice(
            try netlink.dump(
                WireGuardMessage.get(family: family, interface: interface), "read WireGuard device \(interface)"
            ) { $0 })
    }

    /// Gives a device its private key (`nil` leaves the one that it has) and its port.
    public mutating func set(
        _ interface: Int32, privateKey: WireGuardKey?, listenPort: UInt16
    ) throws(NetlinkError) {
        try netlink.execute(
            WireGuardMessage.set(
                family: family, interface: interface, privateKey: privateKey, listenPort: listenPort),
            "configure WireGuard device \(interface)")
    }

    /// Changes some of a device's peers.
    public mutating func change(
        _ interface: Int32, _ changes: [WireGuardMessage.PeerChange]
    ) throws(NetlinkError) {
        for request in WireGuardMessage.change(family: family, interface: interface, changes) {
            try netlink.execute(request, "change peers of WireGuard device \(interface)")
        }
    }
}
