public import Addresses
internal import CLinux
internal import Glibc
public import Netlink

/// The settings of a VXLAN link (RFC 7348).
public struct VXLAN: Sendable, Hashable {
    /// The number of the virtual network, 24 bits.
    public var id: UInt32
    /// The UDP port of all ends.
    public var port: UInt16
    /// The address of this end; its family is the underlay's.
    public var local: IPAddress
    /// The link that outer packets leave through; `nil` lets routes decide.
    public var interface: Int32?
    /// Whether the link learns from frames where a station is.
    public var isLearning: Bool

    /// Describes a VXLAN link.
    public init(id: UInt32, port: UInt16, local: IPAddress, interface: Int32? = nil, isLearning: Bool = false) {
        self.id = id
        self.port = port
        self.local = local
        self.interface = interface
        self.isLearning = isLearning
    }
}

extension VXLAN {
    /// The bytes that a frame grows by: Ethernet, VXLAN, UDP and IP headers.
    public static func overhead(_ underlay: IPFamily) -> Int {
        let ethernetVXLANAndUDP = 14 + 8 + 8
        return ethernetVXLANAndUDP + (underlay == .ipv4 ? 20 : 40)
    }

    /// Reads the attributes of a link's kind (IFLA_VXLAN_… of linux/if_link.h); `nil` when this end has no address.
    init?(_ attributes: NetlinkAttributes) {
        var local: IPAddress?
        var id: UInt32 = 0
        var port: UInt16 = 0
        var interface: Int32?
        var isLearning = false
        for attribute in attributes {
            switch attribute.type {
            case Int(IFLA_VXLAN_ID): id = attribute.integer()
            case Int(IFLA_VXLAN_LOCAL), Int(IFLA_VXLAN_LOCAL6): local = IPAddress(bytes: attribute.payload)
            case Int(IFLA_VXLAN_LINK): interface = attribute.integer()
            case Int(IFLA_VXLAN_LEARNING): isLearning = attribute.integer(as: UInt8.self) != 0
            case Int(IFLA_VXLAN_PORT): port = attribute.bigEndian()
            default: break
            }
        }
        guard let local else { return nil }
        self.init(id: id, port: port, local: local, interface: interface, isLearning: isLearning)
    }

    func encode(to writer: inout NetlinkWriter) {
        writer.attribute(Int(IFLA_VXLAN_ID), id)
        let localType = local.family == .ipv4 ? IFLA_VXLAN_LOCAL : IFLA_VXLAN_LOCAL6
        writer.attribute(Int(localType), bytes: local.bytes)
        if let interface { writer.attribute(Int(IFLA_VXLAN_LINK), interface) }
        writer.attribute(Int(IFLA_VXLAN_LEARNING), UInt8(isLearning ? 1 : 0))
        writer.attribute(Int(IFLA_VXLAN_PORT), bigEndian: port)
    }
}

extension RouteSocket {
    /// Creates a VXLAN link; it is down, and knows no other end.
    public mutating func createVXLAN(
        name: String, _ settings: VXLAN, mtu: Int, mac: MACAddress
    ) throws(NetlinkError) {
        try createLink(name: name, kind: "vxlan", mtu: mtu, mac: mac) { settings.encode(to: &$0) }
    }
}
