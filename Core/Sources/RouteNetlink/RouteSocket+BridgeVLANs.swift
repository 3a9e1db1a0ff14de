internal import CLinux
internal import Glibc
internal import Linux
public import Netlink

/// What a port of a bridge does with the frames of one VLAN (linux/if_bridge.h).
public struct BridgeVLAN: Hashable, Sendable {
    /// The VLAN, 1 to 4094.
    public let id: UInt16
    /// Whether frames that come in without a tag belong to it.
    public let isDefault: Bool
    /// Whether its frames go out without a tag.
    public let isUntagged: Bool

    /// Describes a VLAN of a port.
    public init(_ id: UInt16, isDefault: Bool = false, isUntagged: Bool = false) {
        self.id = id
        self.isDefault = isDefault
        self.isUntagged = isUntagged
    }
}

extension RouteSocket {
    /// The VLANs of a port of a bridge, by ascending number.
    public mutating func bridgeVLANs(_ port: Int32) throws(NetlinkError) -> [BridgeVLAN] {
        var payload = Self.bridgeHeader(0)
        payload.attribute(Int(IFLA_EXT_MASK), UInt32(RTEXT_FILTER_BRVLAN))
        let lists = try netlink.dump(
            NetlinkRequest(type: UInt16(RTM_GETLINK), payload: payload), "list VLANs of link \(port)"
        ) { reply -> [BridgeVLAN]? in
            guard reply.payload.integer(at: 4, as: Int32.self) == port else { return nil }
            return reply.attributes(after: Link.headerSize)[Int(IFLA_AF_SPEC)]?.attributes.compactMap(BridgeVLAN.init)
        }
        return lists.flatMap { $0 }
    }

    /// Adds VLANs to a port of a bridge; one that is there already gets the new settings.
    public mutating func addBridgeVLANs(_ vlans: [BridgeVLAN], to port: Int32) throws(NetlinkError) {
        try changeVLANs(vlans, of: port, UInt16(RTM_SETLINK), "add VLANs to link \(port)")
    }

    /// Removes VLANs from a port of a bridge.
    public mutating func removeBridgeVLANs(_ vlans: [BridgeVLAN], from port: Int32) throws(NetlinkError) {
        try changeVLANs(vlans, of: port, UInt16(RTM_DELLINK), "remove VLANs from link \(port)")
    }

    private mutating func changeVLANs(
        _ vlans: [BridgeVLAN], of port: Int32, _ type: UInt16, _ operation: String
    ) throws(NetlinkError) {
        var payload = Self.bridgeHeader(port)
        payload.nested(Int(IFLA_AF_SPEC)) { specification in
            specification.attribute(Int(IFLA_BRIDGE_FLAGS), UInt16(BRIDGE_FLAGS_MASTER))
            for (vlan, range) in BridgeVLAN.runs(vlans) {
                specification.attribute(Int(IFLA_BRIDGE_VLAN_INFO), bytes: vlan.information(range))
            }
        }
        try netlink.execute(NetlinkRequest(type: type, payload: payload), operation)
    }

    /// `struct ifinfomsg` of linux/rtnetlink.h for bridges.
    private static func bridgeHeader(_ index: Int32) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(UInt32(AF_BRIDGE))
        writer.append(index)
        writer.append(UInt64(0))
        return writer
    }
}

extension BridgeVLAN {
    /// Reads an `IFLA_BRIDGE_VLAN_INFO`; nil for other attributes.
    init?(_ attribute: NetlinkAttribute) {
        guard attribute.type == Int(IFLA_BRIDGE_VLAN_INFO) else { return nil }
        let flags = Int32(attribute.payload.integer(at: 0, as: UInt16.self))
        self.init(
            attribute.payload.integer(at: 2), isDefault: flags & BRIDGE_VLAN_INFO_PVID != 0,
            isUntagged: flags & BRIDGE_VLAN_INFO_UNTAGGED != 0)
    }

    /// `struct bridge_vlan_info` of linux/if_bridge.h.
    func information(_ range: Int32) -> [UInt8] {
        var writer = NetlinkWriter()
        let flags =
            range | (isDefault ? BRIDGE_VLAN_INFO_PVID : 0) | (isUntagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0)
        writer.append(UInt16(truncatingIfNeeded: flags))
        writer.append(id)
        return writer.bytes
    }

    /// The same VLANs with consecutive ones of equal settings as the beginning and the end of a range, so that all 4094
    /// fit into a message.
    static func runs(_ vlans: [BridgeVLAN]) -> [(vlan: BridgeVLAN, range: Int32)] {
        var runs: [(first: BridgeVLAN, last: BridgeVLAN)] = []
        for vlan in vlans {
            // The kernel refuses ranges of what there can be only one of.
            if let last = runs.last?.last, !vlan.isDefault, last.id < UInt16.max, vlan.id == last.id + 1,
                vlan == BridgeVLAN(vlan.id, isDefault: last.isDefault, isUntagged: last.isUntagged)
            {
                runs[runs.count - 1].last = vlan
            } else {
                runs.append((vlan, vlan))
            }
        }
        return runs.flatMap { first, last -> [(vlan: BridgeVLAN, range: Int32)] in
            if first == last { return [(first, 0)] }
            return [(first, BRIDGE_VLAN_INFO_RANGE_BEGIN), (last, BRIDGE_VLAN_INFO_RANGE_END)]
        }
    }
}
