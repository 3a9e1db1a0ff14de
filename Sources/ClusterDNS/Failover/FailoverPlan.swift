package import Addresses
internal import ClusterNames

/// Where a node's DNS queries go while its own server is away.
package struct FailoverPlan: Hashable, Sendable {
    /// A server that stands in.
    package struct StandIn: Hashable, Sendable {
        /// The address.
        package let address: IPAddress
        /// The port for datagrams, and for connections; nil where it takes none.
        package let datagramPort: UInt16?
        /// The port for connections.
        package let streamPort: UInt16?

        /// Describes a server.
        package init(_ address: IPAddress, datagramPort: UInt16?, streamPort: UInt16?) {
            self.address = address
            self.datagramPort = datagramPort
            self.streamPort = streamPort
        }

        /// The port for a transport.
        func port(_ transport: FailoverTable.Transport) -> UInt16? {
            transport == .datagrams ? datagramPort : streamPort
        }
    }

    /// The addresses on which the node answers itself.
    package var addresses: Set<IPAddress> = []
    /// The port on which it answers.
    package var port: UInt16
    /// Those that stand in, the ones for this node first.
    package var standIns: [StandIn] = []

    /// A node that answers nowhere yet.
    package init(port: UInt16) { self.port = port }
}

extension FailoverPlan.StandIn {
    /// The ready endpoints of a slice of the DNS Service, at its ports named `dns` and `dns-tcp`, or at those without a name.
    static func ready(_ slice: NamedEndpoints) -> [Self] {
        func port(_ transport: String) -> UInt16? {
            slice.ports.first { $0.transport == transport && ["", "dns", "dns-tcp"].contains($0.name) }?.number
        }
        let (datagrams, streams) = (port("udp"), port("tcp"))
        guard datagrams != nil || streams != nil else { return [] }
        return slice.readyAddresses.map { Self($0, datagramPort: datagrams, streamPort: streams) }
    }
}
