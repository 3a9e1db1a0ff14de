import CNI
import JSON
import Linux
import Netlink
import RouteNetlink

/// Attributes of an interface; nil stands for one that is left as it is.
struct InterfaceAttributes: Hashable {
    /// The link-layer address.
    var mac: MACAddress?
    /// Whether it takes frames for all stations.
    var isPromiscuous: Bool?
    /// The largest packet in bytes.
    var mtu: Int?
    /// Whether it takes frames for all groups.
    var takesAllMulticast: Bool?
    /// How many packets may wait to be sent.
    var queueLength: Int?

    /// The attributes of a link, those of them that `selection` has.
    init(of link: Link, where selection: InterfaceAttributes) {
        mac = selection.mac.flatMap { _ in link.mac }
        isPromiscuous = selection.isPromiscuous.map { _ in link.flags.contains(.promiscuous) }
        mtu = selection.mtu.map { _ in link.mtu }
        takesAllMulticast = selection.takesAllMulticast.map { _ in link.flags.contains(.allMulticast) }
        queueLength = selection.queueLength.map { _ in link.queueLength }
    }

    /// No attribute.
    init() {}

    /// Whether nothing is to be changed.
    var isEmpty: Bool { self == InterfaceAttributes() }

    /// Changes a link; the first failure ends it.
    func apply(to index: Int32, _ routes: inout RouteSocket) throws(NetlinkError) {
        if let mac { try routes.setMAC(index, mac) }
        if let isPromiscuous { try routes.setPromiscuous(index, isPromiscuous) }
        if let mtu { try routes.setMTU(index, mtu) }
        if let takesAllMulticast { try routes.setAllMulticast(index, takesAllMulticast) }
        if let queueLength { try routes.setQueueLength(index, queueLength) }
    }

    /// Verifies that a link has them; one that is promiscuous unasked is an error too.
    func verify(_ link: Link) throws(CNIError) {
        let name = link.name
        if let mac, mac != link.mac {
            throw CNIError(
                "Error: Tuning configured Ethernet of \(name) is \(mac), current value is \(link.mac?.description ?? "")"
            )
        }
        let present = link.flags.contains(.promiscuous)
        guard (isPromiscuous ?? false) == present else {
            throw CNIError(
                "Error: Tuning link \(name) configured promisc is \(!present), current value is \(present ? 1 : 0)")
        }
        if let mtu, mtu != link.mtu {
            throw CNIError("Error: Tuning configured MTU of \(name) is \(mtu), current value is \(link.mtu)")
        }
        if let takesAllMulticast, takesAllMulticast != link.flags.contains(.allMulticast) {
            throw CNIError(
                "Error: Tuning configured all-multicast mode of \(name) is \(takesAllMulticast), "
                    + "current value is \(!takesAllMulticast)")
        }
        if let queueLength, queueLength != link.queueLength {
            throw CNIError(
                "Error: Tuning configured Transmit Queue Length of \(name) is \(queueLength), "
                    + "current value is \(link.queueLength)")
        }
    }
}
