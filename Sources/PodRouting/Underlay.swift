package import Addresses

/// How packets to an address of another node leave this one.
package struct UnderlayPath: Hashable, Sendable {
    /// The link that they leave through.
    package let interface: Int32
    /// The router that takes them on; `nil` when the other node is on the link.
    package let gateway: IPAddress?
    /// The largest packet in bytes.
    package let mtu: Int

    /// Describes a path.
    package init(interface: Int32, gateway: IPAddress? = nil, mtu: Int = 1500) {
        self.interface = interface
        self.gateway = gateway
        self.mtu = mtu
    }
}

/// What the plan of routes must know of the network below: a snapshot, taken from the kernel.
package struct Underlay: Hashable, Sendable {
    /// The path to each address of another node that there is one to.
    package var paths: [IPAddress: UnderlayPath]
    /// The machine's own addresses.
    package var localAddresses: Set<IPAddress>
    /// The link that packets between nodes are confined to; `nil` when routes decide.
    package var interface: Int32?
    /// The largest packet in bytes of the link with the node's own address; `nil` when no link has it.
    package var uplinkMTU: Int?

    /// A snapshot.
    package init(
        paths: [IPAddress: UnderlayPath] = [:], localAddresses: Set<IPAddress> = [], interface: Int32? = nil,
        uplinkMTU: Int? = nil
    ) {
        self.paths = paths
        self.localAddresses = localAddresses
        self.interface = interface
        self.uplinkMTU = uplinkMTU
    }
}
