import Addresses
import CNI
import Linux
import Netlink
import RouteNetlink

/// The link of the host that has the gateways' addresses: the bridge itself, or where pods have a VLAN of their own,
/// `<bridge>.<vlan>`, the free end of a veth pair whose other end is a port of that VLAN.
struct GatewayLink {
    /// The link's name.
    let name: String
    /// The link's index.
    let index: Int32
    private let failure: String

    /// The bridge itself.
    init(_ bridge: Bridge) {
        name = bridge.name
        index = bridge.index
        failure = "failed to set bridge addr"
    }

    /// Finds the link of the pods' VLAN, or makes it.
    init(_ bridge: Bridge, _ vlans: BridgeVLANs, _ vlan: UInt16, host: inout RouteSocket) throws {
        name = "\(bridge.name).\(vlan)"
        failure = "failed to set vlan interface for bridge with addr"
        do {
            let own = try Self.ensure(name, mtu: bridge.mtu, host: &host)
            guard let peer = own.peer, let port = try host.link(at: peer) else {
                throw CNIError("\"\(name)\" already exists but is no end of a veth pair")
            }
            if port.master != bridge.index {
                try bridge.attach(port.index, hairpin: false, isolated: false, vlans, host: &host)
            }
            try host.setUp(own.index)
            _ = try host.waitUntilOperational(own.index)
            index = own.index
        } catch {
            throw CNIError(error).prefixed("failed to create vlan interface")
        }
    }

    private static func ensure(_ name: String, mtu: Int, host: inout RouteSocket) throws -> Link {
        if let link = try host.link(named: name) { return link }
        do {
            try VethPair.create(name, mtu: mtu, host: &host)
        } catch {
            // Another attachment may have been faster.
            if let link = try host.link(named: name) { return link }
            throw error
        }
        guard let link = try host.link(named: name) else { throw VethPair.vanished(name) }
        return link
    }

    /// Gives the link the gateways' addresses.
    ///
    /// Another IPv4 address, or an IPv6 address of an overlapping subnet, gives way where `isForced`, and is an error
    /// otherwise.
    func assign(_ addresses: [InterfaceAddress], isForced: Bool, host: inout RouteSocket) throws {
        do {
            var present = try host.addresses(index).map(\.address)
            let missing = addresses.filter { !present.contains($0) }
            for wanted in missing { try add(wanted, to: &present, isForced: isForced, host: &host) }
            // Set once, it stays; otherwise a bridge's hardware address follows its lowest port and changes with them.
            if !missing.isEmpty, let mac = try host.summary(ofLink: name)?.mac { try host.setMAC(index, mac) }
            try host.waitUntilUsable(addresses.map(\.address), on: index)
        } catch {
            throw CNIError(error).prefixed(failure)
        }
    }

    private func add(
        _ wanted: InterfaceAddress, to present: inout [InterfaceAddress], isForced: Bool, host: inout RouteSocket
    ) throws {
        for other in present where Self.conflicts(other, wanted) {
            guard isForced else {
                throw CNIError("\"\(name)\" already has an IP address different from \(wanted)")
            }
            try host.removeAddress(other, index)
        }
        present.removeAll { Self.conflicts($0, wanted) }
        present.append(wanted)
        do throws(NetlinkError) {
            try host.addAddress(
                wanted, index, flags: ContainerInterface.flags(wanted.address.family, detectsDuplicates: false),
                broadcast: ContainerInterface.broadcast(wanted))
        } catch {
            // Another attachment may have been faster.
            guard error.errno == .exists else {
                throw CNIError("could not add IP address to \"\(name)\": \(error)")
            }
        }
    }

    /// Whether an address that the link has stands in the way of another of its family.
    static func conflicts(_ present: InterfaceAddress, _ wanted: InterfaceAddress) -> Bool {
        present.address.family == wanted.address.family
            && (wanted.address.family == .ipv4 || present.prefix.overlaps(wanted.prefix))
    }
}
