internal import CLinux
internal import Glibc
public import Netlink

/// Flags of a link (linux/if.h).
public struct LinkFlags: OptionSet, Sendable, Hashable {
    /// The bits on the wire.
    public let rawValue: UInt32

    /// Wraps the bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Administratively up.
    public static let up = LinkFlags(rawValue: UInt32(IFF_UP))
    /// A loopback link.
    public static let loopback = LinkFlags(rawValue: UInt32(IFF_LOOPBACK))
    /// A link to one neighbour.
    public static let pointToPoint = LinkFlags(rawValue: UInt32(IFF_POINTOPOINT))
    /// Operational.
    public static let running = LinkFlags(rawValue: UInt32(IFF_RUNNING))
    /// Takes frames for all stations.
    public static let promiscuous = LinkFlags(rawValue: UInt32(IFF_PROMISC))
    /// Takes frames for all groups.
    public static let allMulticast = LinkFlags(rawValue: UInt32(IFF_ALLMULTI))
}

/// A network link as the kernel describes it.
public struct Link: Sendable, Hashable {
    /// What tells links of a namespace apart.
    public let index: Int32
    /// The name.
    public let name: String
    /// The flags.
    public let flags: LinkFlags
    /// The largest packet in bytes.
    public let mtu: Int
    /// The link-layer address; `nil` when it is not one of six bytes.
    public let mac: MACAddress?
    /// The kind of a virtual link, such as "veth" or "bridge"; empty for others.
    public let kind: String
    /// The bridge that the link is a port of.
    public let master: Int32?
    /// The link below, or the other end of a veth pair; counted in the namespace `peerNamespace` where that is set.
    public let peer: Int32?
    /// The kernel's number of the namespace that holds `peer`, when it is another.
    public let peerNamespace: Int32?
    /// How many packets may wait to be sent.
    public let queueLength: Int
    /// The text that somebody gave the link; empty when nobody did.
    public let alias: String
    /// The settings as a port of a bridge.
    public let bridgePort: BridgePort?
    /// The settings of a VXLAN link.
    public let vxlan: VXLAN?

    /// The settings of a bridge's port.
    public struct BridgePort: Sendable, Hashable {
        /// Whether a frame may leave through the port that it came from.
        public let hairpin: Bool
        /// Whether the port is kept from other isolated ports.
        public let isolated: Bool
    }

    /// Whether packets leave: the kernel has seen the carrier, and has done what follows from it.
    ///
    /// False for kinds of links that never tell. The flag `running` is set for a link of which nothing is known yet, too.
    public let isOperational: Bool

    /// Whether the link is administratively up.
    public var isUp: Bool {
        flags.contains(.up)
    }

    static let headerSize = 16

    /// Reads an RTM_NEWLINK or RTM_DELLINK message; `nil` for other messages.
    public init?(_ reply: NetlinkReply) {
        guard reply.type == UInt16(RTM_NEWLINK) || reply.type == UInt16(RTM_DELLINK) else { return nil }
        var name = ""
        var mtu: UInt32 = 0
        var mac: MACAddress?
        var kind = ""
        var master: Int32?
        var peer: Int32?
        var peerNamespace: Int32?
        var queueLength: UInt32 = 0
        var alias = ""
        var isOperational = false
        var bridgePort: BridgePort?
        var vxlan: VXLAN?
        for attribute in reply.attributes(after: Self.headerSize) {
            switch attribute.type {
            case Int(IFLA_IFNAME): name = attribute.string
            case Int(IFLA_MTU): mtu = attribute.integer()
            case Int(IFLA_ADDRESS): mac = MACAddress(bytes: attribute.payload)
            case Int(IFLA_MASTER): master = attribute.integer()
            case Int(IFLA_LINK): peer = attribute.integer()
            case Int(IFLA_LINK_NETNSID): peerNamespace = attribute.integer()
            case Int(IFLA_TXQLEN): queueLength = attribute.integer()
            case Int(IFLA_OPERSTATE): isOperational = attribute.integer(as: UInt8.self) == duet_operational
            case Int(IFLA_IFALIAS): alias = attribute.string
            case Int(IFLA_LINKINFO):
                kind = attribute.attributes[Int(IFLA_INFO_KIND)]?.string ?? ""
                if kind == "vxlan" {
                    vxlan = attribute.attributes[Int(IFLA_INFO_DATA)].flatMap { VXLAN($0.attributes) }
                }
                if attribute.attributes[Int(IFLA_INFO_SLAVE_KIND)]?.string == "bridge" {
                    let data = attribute.attributes[Int(IFLA_INFO_SLAVE_DATA)]?.attributes
                    bridgePort = BridgePort(
                        hairpin: data?[Int(IFLA_BRPORT_MODE)]?.integer(as: UInt8.self) == 1,
                        isolated: data?[Int(IFLA_BRPORT_ISOLATED)]?.integer(as: UInt8.self) == 1)
                }
            default: break
            }
        }
        index = reply.payload.integer(at: 4)
        flags = LinkFlags(rawValue: reply.payload.integer(at: 8))
        self.name = name
        self.mtu = Int(mtu)
        self.mac = mac
        self.kind = kind
        self.master = master
        self.peer = peer
        self.peerNamespace = peerNamespace
        self.queueLength = Int(queueLength)
        self.alias = alias
        self.isOperational = isOperational
        self.bridgePort = bridgePort
        self.vxlan = vxlan
    }
}
