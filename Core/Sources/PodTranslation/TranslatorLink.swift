internal import Linux
public import Netlink
public import RouteNetlink

/// The link of a TUN device, by which packets find a translator in userspace.
public enum TranslatorLink {
    /// The packets that may wait for a thread: some thousand small ones come between two of its turns.
    private static let queueLength = 4096

    /// Makes of a link what every translator needs, and says what had to be done.
    public static func ensure(
        _ link: Link, mtu: Int, _ socket: inout RouteSocket
    ) throws(NetlinkError) -> [String] {
        var changes: [String] = []
        if link.mtu != mtu {
            try socket.setMTU(link.index, mtu)
            changes.append("mtu \(mtu)")
        }
        if link.queueLength != queueLength { try socket.setQueueLength(link.index, queueLength) }
        if !acceptsAllSources(link.name) { try socket.acceptAllSources(link.index) }
        if !link.isUp {
            // A kernel without IPv6 has no addresses to give.
            if Sysctl.exists("net/ipv6/conf/\(link.name)") { try socket.setAddressesByHand(link.index) }
            try socket.setUp(link.index)
            changes.append("up")
        }
        return changes
    }

    /// Whether the kernel takes what the translator sends, whatever its source.
    ///
    /// ICMP errors come from an address that is the machine's own, and packets of hosts come from here whatever way back to
    /// them there is; both would be "martians" that it drops.
    private static func acceptsAllSources(_ link: String) -> Bool {
        [("accept_local", "1"), ("rp_filter", "2")].allSatisfy { parameter, value in
            (try? Sysctl.get("net/ipv4/conf/\(link)/\(parameter)")) == value
        }
    }
}
