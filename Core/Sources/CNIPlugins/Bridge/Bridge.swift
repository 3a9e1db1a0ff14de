import Addresses
import CNI
import Linux
import Netlink
import RouteNetlink

/// The bridge of a node.
struct Bridge {
    /// Its name.
    let name: String
    /// Its index.
    let index: Int32

    /// Finds the bridge, or makes it, and brings it up.
    static func ensure(_ configuration: BridgeConfiguration, host: inout RouteSocket) throws -> Bridge {
        do throws(NetlinkError) {
            try host.createBridge(
                name: configuration.bridge, mtu: configuration.mtu == 0 ? nil : configuration.mtu)
        } catch  where error.errno == .exists {
            // Another attachment made it.
        } catch {
            throw CNIError("could not add \"\(configuration.bridge)\": \(error)")
        }
        let bridge = try existing(configuration.bridge, host: &host)
        if configuration.isPromiscuous { try host.setPromiscuous(bridge.index, true) }
        let parameter = "net/ipv6/conf/\(bridge.name)/accept_ra"
        if Sysctl.exists(parameter) { try Sysctl.set(parameter, "0") }
        try host.setUp(bridge.index)
        return bridge
    }

    /// Finds the bridge; the error tells when the name is missing or is no bridge.
    static func existing(_ name: String, host: inout RouteSocket) throws -> Bridge {
        guard let link = try host.link(named: name) else { throw CNIError("could not lookup \"\(name)\"") }
        guard link.kind == "bridge" else { throw CNIError("\"\(name)\" already exists but is not a bridge") }
        return Bridge(name: name, index: link.index)
    }

    /// Makes a veth end a port of the bridge and brings it up.
    func attach(_ port: Int32, _ configuration: BridgeConfiguration, host: inout RouteSocket) throws {
        try host.setMaster(port, index)
        if configuration.hairpin || configuration.isolatesPort {
            try host.setBridgePort(
                port, hairpin: configuration.hairpin, isolated: configuration.isolatesPort)
        }
        try host.setUp(port)
    }

    /// Gives the bridge the gateways' addresses.
    ///
    /// Another IPv4 address, or an IPv6 address of an overlapping subnet, gives way where the configuration forces it,
    /// and is an error otherwise.
    func assign(
        _ addresses: [InterfaceAddress], _ configuration: BridgeConfiguration, host: inout RouteSocket
    ) throws {
        for wanted in addresses {
            let present = try host.addresses(index).map(\.address)
            if present.contains(wanted) { continue }
            for other in present where Self.conflicts(other, wanted) {
                guard configuration.forcesAddress else {
                    throw CNIError(
                        "failed to set bridge addr: \"\(name)\" already has an IP address different from \(wanted)")
                }
                try host.removeAddress(other, index)
            }
            do throws(NetlinkError) {
                try host.addAddress(
                    wanted, index,
                    flags: ContainerInterface.flags(wanted.address.family, detectsDuplicates: false),
                    broadcast: ContainerInterface.broadcast(wanted))
            } catch  where error.errno == .exists {
                // Another attachment was faster.
            } catch {
                throw CNIError("failed to set bridge addr: could not add IP address to \"\(name)\": \(error)")
            }
        }
        try host.waitUntilUsable(addresses.map(\.address), on: index)
        // Set once, it stays; otherwise the bridge's hardware address follows its lowest port and changes with them.
        if let mac = try host.link(at: index)?.mac { try host.setMAC(index, mac) }
    }

    /// Whether an address that the bridge has stands in the way of another of its family.
    static func conflicts(_ present: InterfaceAddress, _ wanted: InterfaceAddress) -> Bool {
        present.address.family == wanted.address.family
            && (wanted.address.family == .ipv4 || present.prefix.overlaps(wanted.prefix))
    }
}
