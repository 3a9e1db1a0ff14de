import Addresses
import KubernetesAPI
import Linux
import Netlink
import RouteNetlink

/// The bridge between host and nodes, and each node's link to it.
struct Underlay {
    let spec: ClusterSpec
    let bridge: String

    /// Name of the link in a node.
    static let nodeInterface = "eth0"

    /// The bridge on the host, with the host's addresses.
    func ensureBridge() throws {
        var socket = try RouteSocket()
        if try socket.link(named: bridge) == nil {
            try socket.createBridge(name: bridge)
        }
        let link = try present(&socket, bridge)
        if spec.families.contains(.ipv6) {
            // A host that does without IPv6 gives none to new links.
            try Sysctl.set("net/ipv6/conf/\(bridge)/disable_ipv6", "0")
        }
        // A bridge takes the lowest address of its ports unless it has one of its own; neighbours would see it change.
        try addAddresses(spec.hostAddresses, to: link, &socket)
        try socket.setUp(link.index)
    }

    /// A node's link: a veth pair, one end named `eth0` in the node's namespace, the other a port of the bridge.
    func ensureLink(of node: NodePaths, index: Int) throws {
        let addresses = spec.nodeAddresses(index)
        let port = "duet-\(node.name)"
        let namespace = try NetworkNamespace.open(name: node.networkNamespace)
        var socket = try RouteSocket()
        let nodeEnd = try namespace.run {
            var socket = try RouteSocket()
            return try socket.link(named: Self.nodeInterface)
        }
        let hostEnd = try socket.link(named: port)
        if nodeEnd == nil || hostEnd == nil {
            // A lone end leads to a former namespace, which the kernel takes apart in its own time.
            try Self.remove(hostEnd, &socket)
            try namespace.run {
                var socket = try RouteSocket()
                try Self.remove(nodeEnd, &socket)
            }
            try socket.createVeth(
                name: port, peer: Self.nodeInterface, peerNamespace: namespace.descriptor.rawValue)
        }
        let portLink = try present(&socket, port)
        try socket.setMaster(portLink.index, try present(&socket, bridge).index)
        try socket.setUp(portLink.index)
        try namespace.run {
            var socket = try RouteSocket()
            try socket.setUp(try present(&socket, "lo").index)
            let link = try present(&socket, Self.nodeInterface)
            try addAddresses(addresses, to: link, &socket)
            try socket.setUp(link.index)
            for host in spec.hostAddresses {
                try socket.replaceRoute(
                    Route(
                        destination: IPPrefix(
                            IPAddress(family: host.address.family, bits: 0), length: 0),
                        gateway: host.address, interface: link.index))
            }
        }
    }

    /// The host's routes to the pods of `nodes`, and by way of the first node to Services and to blocks that nodes get later.
    func routeFromHost(to nodes: [Node]) throws {
        var socket = try RouteSocket()
        let link = try present(&socket, bridge)
        for (index, name) in spec.nodes.enumerated() {
            guard let node = nodes.first(where: { $0.metadata.name == name }) else { continue }
            let blocks = (node.spec?.podCIDRs ?? []).compactMap { IPPrefix($0) }
            let viaFirst = index == 0 ? spec.serviceRanges + (spec.needsPool ? spec.podRanges : []) : []
            for destination in blocks + viaFirst {
                guard
                    let gateway = spec.nodeAddresses(index).first(where: { $0.address.family == destination.family })
                else { continue }
                try socket.replaceRoute(
                    Route(
                        destination: destination, gateway: gateway.address, interface: link.index,
                        protocol: .duet))
            }
        }
    }

    /// Removes the bridge with the links and routes that hang on it.
    static func removeBridge(_ name: String) throws {
        var socket = try RouteSocket()
        for link in try socket.links() where link.name == name || link.name.hasPrefix("duet-node-") {
            try remove(link, &socket)
        }
    }

    /// Removes `link`, unless it is gone already: a node's link goes with its namespace, in the kernel's own time.
    private static func remove(_ link: Link?, _ socket: inout RouteSocket) throws {
        guard let link else { return }
        do throws(NetlinkError) {
            try socket.deleteLink(link.index)
        } catch {
            guard error.errno == .noDevice else { throw error }
        }
    }

    private func addAddresses(
        _ addresses: [InterfaceAddress], to link: Link, _ socket: inout RouteSocket
    ) throws {
        let have = Set(try socket.addresses(link.index).map(\.address))
        for address in addresses where !have.contains(address) {
            try socket.addAddress(address, link.index, flags: .noDAD)
        }
    }

    private func present(_ socket: inout RouteSocket, _ name: String) throws -> Link {
        guard let link = try socket.link(named: name) else {
            throw LocalClusterError("the link \(name) is gone", remedy: "Repeat `duet up`.")
        }
        return link
    }
}
