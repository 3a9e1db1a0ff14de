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
    package private(set) var standIns: [StandIn] = []

    /// A node that answers nowhere yet.
    package init(port: UInt16) { self.port = port }

    /// The servers of one family that a node uses at most.
    package static let maximum = 16

    /// Takes the servers that could stand in, and chooses among them: each node others, and the same as long as these are
    /// there (rendezvous hashing).
    package mutating func choose(among candidates: some Sequence<StandIn>, for node: String) {
        var chosen: [StandIn] = []
        let ranked = Set(candidates).map { (rank: Self.rank(node, $0), $0) }
            .sorted { ($0.rank, $0.1.address) < ($1.rank, $1.1.address) }
        for family in IPFamily.allCases {
            chosen += ranked.lazy.map(\.1).filter { $0.address.family == family }.prefix(Self.maximum)
        }
        standIns = chosen
    }

    /// FNV-1a over both names, mixed once more so that all of its bits count.
    private static func rank(_ node: String, _ standIn: StandIn) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in Array(node.utf8) + [0] + standIn.address.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return (hash ^ hash >> 29) &* 0x9E37_79B9_7F4A_7C15
    }
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
