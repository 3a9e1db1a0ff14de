internal import CLinux
internal import Glibc
internal import Linux
public import Netlink

extension RouteSocket {
    /// All links.
    public mutating func links() throws(NetlinkError) -> [Link] {
        try netlink.dump(
            NetlinkRequest(type: UInt16(RTM_GETLINK), payload: Self.withoutStatistics(Self.header())), "list links",
            Link.init)
    }

    /// The link of a name; `nil` when there is none.
    public mutating func link(named name: String) throws(NetlinkError) -> Link? {
        var payload = Self.header()
        payload.attribute(Int(IFLA_IFNAME), string: name)
        return try link(payload, "find link \(name)")
    }

    /// The link of an index; `nil` when there is none.
    public mutating func link(at index: Int32) throws(NetlinkError) -> Link? {
        try link(Self.header(index: index), "find link \(index)")
    }

    private mutating func link(_ payload: NetlinkWriter, _ operation: String) throws(NetlinkError) -> Link? {
        do throws(NetlinkError) {
            let request = NetlinkRequest(type: UInt16(RTM_GETLINK), payload: Self.withoutStatistics(payload))
            return try netlink.execute(request, operation).lazy.compactMap(Link.init).first
        } catch  where error.errno == .noDevice {
            return nil
        }
    }

    /// Asks the kernel to leave out what it has counted: it would add it up over all processors, and nobody reads it.
    private static func withoutStatistics(_ payload: NetlinkWriter) -> NetlinkWriter {
        var payload = payload
        payload.attribute(Int(IFLA_EXT_MASK), UInt32(RTEXT_FILTER_SKIP_STATS))
        return payload
    }

    /// Creates a pair of links that hand each other what they are sent; both are down.
    ///
    /// - Parameter peerNamespace: the descriptor of the network namespace that gets `peer`; `nil` keeps it here.
    public mutating func createVeth(
        name: String, peer: String, peerNamespace: Int32? = nil, mtu: Int? = nil, mac: MACAddress? = nil,
        peerMAC: MACAddress? = nil
    ) throws(NetlinkError) {
        var payload = Self.header()
        Self.describe(&payload, name: name, mtu: mtu, mac: mac)
        payload.nested(Int(IFLA_LINKINFO)) { info in
            info.attribute(Int(IFLA_INFO_KIND), string: "veth")
            info.nested(Int(IFLA_INFO_DATA)) { data in
                data.nested(Int(VETH_INFO_PEER)) { end in
                    end.append(bytes: Self.header().bytes)
                    Self.describe(&end, name: peer, mtu: mtu, mac: peerMAC)
                    if let peerNamespace { end.attribute(Int(IFLA_NET_NS_FD), UInt32(peerNamespace)) }
                }
            }
        }
        try create(payload, "create veth pair \(name), \(peer)")
    }

    /// Creates a bridge; it is down.
    ///
    /// - Parameter filtersVLANs: whether it keeps the frames of different VLANs apart.
    public mutating func createBridge(
        name: String, mtu: Int? = nil, mac: MACAddress? = nil, filtersVLANs: Bool = false
    ) throws(NetlinkError) {
        var payload = Self.header()
        Self.describe(&payload, name: name, mtu: mtu, mac: mac)
        payload.nested(Int(IFLA_LINKINFO)) { info in
            info.attribute(Int(IFLA_INFO_KIND), string: "bridge")
            if filtersVLANs {
                info.nested(Int(IFLA_INFO_DATA)) { $0.attribute(Int(IFLA_BR_VLAN_FILTERING), UInt8(1)) }
            }
        }
        try create(payload, "create bridge \(name)")
    }

    /// Creates a link of a kind such as "dummy" or "ifb"; it is down.
    ///
    /// - Parameter settings: appends the attributes that the kind has.
    public mutating func createLink(
        name: String, kind: String, mtu: Int? = nil, mac: MACAddress? = nil,
        settings: ((inout NetlinkWriter) -> Void)? = nil
    ) throws(NetlinkError) {
        var payload = Self.header()
        Self.describe(&payload, name: name, mtu: mtu, mac: mac)
        payload.nested(Int(IFLA_LINKINFO)) { info in
            info.attribute(Int(IFLA_INFO_KIND), string: kind)
            if let settings { info.nested(Int(IFLA_INFO_DATA), settings) }
        }
        try create(payload, "create \(kind) link \(name)")
    }

    /// Brings a link up, as a port of a bridge where one is given, with a text of at most 255 bytes that the kernel keeps.
    public mutating func setUp(_ index: Int32, master: Int32? = nil, alias: String? = nil) throws(NetlinkError) {
        try netlink.execute(Self.bringUp(index, master: master, alias: alias), "bring up link \(index)")
    }

    static func bringUp(_ index: Int32, master: Int32?, alias: String?) -> NetlinkRequest {
        var payload = header(index: index, flags: .up, mask: .up)
        if let master { payload.attribute(Int(IFLA_MASTER), master) }
        if let alias { payload.attribute(Int(IFLA_IFALIAS), bytes: Array(alias.utf8)) }
        return NetlinkRequest(type: UInt16(RTM_NEWLINK), payload: payload)
    }

    /// Brings a link down.
    public mutating func setDown(_ index: Int32) throws(NetlinkError) {
        try setFlags(index, .up, false, "bring down link \(index)")
    }

    /// Lets a link take frames for all stations, or no longer.
    public mutating func setPromiscuous(_ index: Int32, _ isOn: Bool) throws(NetlinkError) {
        try setFlags(index, .promiscuous, isOn, "set promiscuous mode of link \(index)")
    }

    /// Lets a link take frames for all groups, or no longer.
    public mutating func setAllMulticast(_ index: Int32, _ isOn: Bool) throws(NetlinkError) {
        try setFlags(index, .allMulticast, isOn, "set all-multicast mode of link \(index)")
    }

    /// Makes a link a port of a bridge; `nil` takes it out of the one it is in.
    public mutating func setMaster(_ index: Int32, _ master: Int32?) throws(NetlinkError) {
        try change(index, "set master of link \(index)") { $0.attribute(Int(IFLA_MASTER), master ?? 0) }
    }

    /// Renames a link; it must be down on kernels before 6.2.
    public mutating func setName(_ index: Int32, _ name: String) throws(NetlinkError) {
        try change(index, "rename link \(index) to \(name)") { $0.attribute(Int(IFLA_IFNAME), string: name) }
    }

    /// Sets the largest packet in bytes.
    public mutating func setMTU(_ index: Int32, _ mtu: Int) throws(NetlinkError) {
        try change(index, "set MTU of link \(index) to \(mtu)") { $0.attribute(Int(IFLA_MTU), UInt32(clamping: mtu)) }
    }

    /// Sets how many packets may wait to be sent.
    public mutating func setQueueLength(_ index: Int32, _ length: Int) throws(NetlinkError) {
        try change(index, "set queue length of link \(index) to \(length)") {
            $0.attribute(Int(IFLA_TXQLEN), UInt32(clamping: length))
        }
    }

    /// Lets a link have no IPv6 address but those that somebody gives it, from when it comes up next; without a link-local
    /// one the kernel looks for no routers there.
    public mutating func setAddressesByHand(_ index: Int32) throws(NetlinkError) {
        try change(index, "let link \(index) have no addresses by itself") { payload in
            payload.nested(Int(IFLA_AF_SPEC)) { families in
                families.nested(Int(AF_INET6)) {
                    $0.attribute(Int(IFLA_INET6_ADDR_GEN_MODE), UInt8(IN6_ADDR_GEN_MODE_NONE.rawValue))
                }
            }
        }
    }

    /// Lets a link take what comes from addresses of this machine, and what it would not answer by the same link, as
    /// `accept_local` 1 and `rp_filter` 2 below /proc/sys do: by netlink, so that a /proc/sys that is read-only does not matter.
    public mutating func acceptAllSources(_ index: Int32) throws(NetlinkError) {
        try change(index, "let link \(index) accept packets of all sources") { payload in
            payload.nested(Int(IFLA_AF_SPEC)) { families in
                families.nested(Int(AF_INET)) { family in
                    family.nested(Int(IFLA_INET_CONF)) {
                        $0.attribute(Int(IPV4_DEVCONF_ACCEPT_LOCAL), UInt32(1))
                        $0.attribute(Int(IPV4_DEVCONF_RP_FILTER), UInt32(2))
                    }
                }
            }
        }
    }

    /// Sets the link-layer address.
    public mutating func setMAC(_ index: Int32, _ mac: MACAddress) throws(NetlinkError) {
        try change(index, "set address of link \(index) to \(mac)") {
            $0.attribute(Int(IFLA_ADDRESS), bytes: mac.bytes)
        }
    }

    /// Moves a link into the network namespace of an open descriptor, with a new name there if one is given.
    public mutating func moveToNamespace(
        _ index: Int32, _ namespace: Int32, name: String? = nil
    ) throws(NetlinkError) {
        try change(index, "move link \(index) to another namespace") {
            $0.attribute(Int(IFLA_NET_NS_FD), UInt32(namespace))
            if let name { $0.attribute(Int(IFLA_IFNAME), string: name) }
        }
    }

    /// Sets how a port of a bridge treats frames; `nil` leaves a setting as it is.
    public mutating func setBridgePort(
        _ index: Int32, hairpin: Bool? = nil, isolated: Bool? = nil
    ) throws(NetlinkError) {
        try change(index, "set bridge port options of link \(index)") { payload in
            payload.nested(Int(IFLA_LINKINFO)) { info in
                info.attribute(Int(IFLA_INFO_SLAVE_KIND), string: "bridge")
                info.nested(Int(IFLA_INFO_SLAVE_DATA)) { data in
                    if let hairpin { data.attribute(Int(IFLA_BRPORT_MODE), UInt8(hairpin ? 1 : 0)) }
                    if let isolated { data.attribute(Int(IFLA_BRPORT_ISOLATED), UInt8(isolated ? 1 : 0)) }
                }
            }
        }
    }

    /// Deletes a link; a veth pair loses both ends.
    public mutating func deleteLink(_ index: Int32) throws(NetlinkError) {
        let request = NetlinkRequest(type: UInt16(RTM_DELLINK), payload: Self.header(index: index))
        try netlink.execute(request, "delete link \(index)")
    }

    /// Deletes the link of a name; false when there is none.
    public mutating func deleteLink(named name: String) throws(NetlinkError) -> Bool {
        var payload = Self.header()
        payload.attribute(Int(IFLA_IFNAME), string: name)
        do throws(NetlinkError) {
            try netlink.execute(NetlinkRequest(type: UInt16(RTM_DELLINK), payload: payload), "delete link \(name)")
            return true
        } catch  where error.errno == .noDevice {
            return false
        }
    }

    private mutating func create(_ payload: NetlinkWriter, _ operation: String) throws(NetlinkError) {
        let request = NetlinkRequest(type: UInt16(RTM_NEWLINK), flags: [.create, .exclusive], payload: payload)
        try netlink.execute(request, operation)
    }

    private mutating func change(
        _ index: Int32, _ operation: String, _ describe: (inout NetlinkWriter) -> Void
    ) throws(NetlinkError) {
        var payload = Self.header(index: index)
        describe(&payload)
        try netlink.execute(NetlinkRequest(type: UInt16(RTM_NEWLINK), payload: payload), operation)
    }

    private mutating func setFlags(
        _ index: Int32, _ flag: LinkFlags, _ isOn: Bool, _ operation: String
    ) throws(NetlinkError) {
        let payload = Self.header(index: index, flags: isOn ? flag : [], mask: flag)
        try netlink.execute(NetlinkRequest(type: UInt16(RTM_NEWLINK), payload: payload), operation)
    }

    private static func describe(_ payload: inout NetlinkWriter, name: String, mtu: Int?, mac: MACAddress?) {
        payload.attribute(Int(IFLA_IFNAME), string: name)
        if let mtu { payload.attribute(Int(IFLA_MTU), UInt32(clamping: mtu)) }
        if let mac { payload.attribute(Int(IFLA_ADDRESS), bytes: mac.bytes) }
    }

    /// `struct ifinfomsg` of linux/rtnetlink.h.
    private static func header(
        index: Int32 = 0, flags: LinkFlags = [], mask: LinkFlags = []
    ) -> NetlinkWriter {
        var writer = NetlinkWriter()
        writer.append(UInt32(0))
        writer.append(index)
        writer.append(flags.rawValue)
        writer.append(mask.rawValue)
        return writer
    }
}
