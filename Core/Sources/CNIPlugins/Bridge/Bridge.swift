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
    /// Whether it takes frames for all stations.
    let isPromiscuous: Bool
    /// Its MTU in bytes.
    let mtu: Int
    /// Whether it had a port that works already.
    let isOperational: Bool

    /// Finds the bridge, or makes it, and brings it up.
    static func ensure(_ configuration: BridgeConfiguration, host: inout RouteSocket) throws -> Bridge {
        do {
            return try make(configuration, host: &host)
        } catch {
            throw CNIError(error).prefixed("failed to create bridge \"\(configuration.bridge)\"")
        }
    }

    private static func make(_ configuration: BridgeConfiguration, host: inout RouteSocket) throws -> Bridge {
        let name = configuration.bridge
        // It is there for all attachments but a node's first, and then nothing has to be asked of the kernel.
        if let link = try host.link(named: name) { return try prepare(link, configuration, host: &host) }
        do throws(NetlinkError) {
            try host.createBridge(
                name: name, mtu: configuration.mtu == 0 ? nil : configuration.mtu,
                filtersVLANs: configuration.vlans.areConfigured)
        } catch {
            if configuration.vlans.areConfigured, error.errno == .notSupported {
                throw CNIError("could not add \"\(name)\": \(BridgeVLANs.lack)")
            }
            // Another attachment may have made it.
            guard error.errno == .exists else { throw CNIError("could not add \"\(name)\": \(error)") }
        }
        guard let link = try host.link(named: name) else { throw CNIError("could not lookup \"\(name)\"") }
        return try prepare(link, configuration, host: &host)
    }

    private static func prepare(
        _ link: Link, _ configuration: BridgeConfiguration, host: inout RouteSocket
    ) throws -> Bridge {
        let name = configuration.bridge
        guard link.kind == "bridge" else { throw CNIError("\"\(name)\" already exists but is not a bridge") }
        if configuration.isPromiscuous, !link.flags.contains(.promiscuous) {
            try host.setPromiscuous(link.index, true)
        }
        let parameter = "net/ipv6/conf/\(name)/accept_ra"
        if Sysctl.exists(parameter) { try Sysctl.set(parameter, "0") }
        if !link.isUp { try host.setUp(link.index) }
        return Bridge(link)
    }

    /// Describes a link that is a bridge.
    init(_ link: Link) {
        name = link.name
        index = link.index
        isPromiscuous = link.flags.contains(.promiscuous)
        mtu = link.mtu
        isOperational = link.isOperational
    }

    /// Makes a veth end a port of the bridge and brings it up, with a text that says whose it is.
    func attach(
        _ port: Int32, alias: String? = nil, hairpin: Bool, isolated: Bool, _ vlans: BridgeVLANs,
        host: inout RouteSocket
    ) throws {
        try host.setUp(port, master: index, alias: alias)
        if hairpin || isolated { try host.setBridgePort(port, hairpin: hairpin, isolated: isolated) }
        if !vlans.settings.isEmpty {
            do throws(NetlinkError) {
                if !vlans.keepsDefault { try host.removeBridgeVLANs(try host.bridgeVLANs(port), from: port) }
                try host.addBridgeVLANs(vlans.settings, to: port)
            } catch {
                guard error.errno == .notSupported else { throw error }
                throw CNIError("could not add VLANs to a port of \"\(name)\": \(BridgeVLANs.lack)")
            }
        }
    }
}
