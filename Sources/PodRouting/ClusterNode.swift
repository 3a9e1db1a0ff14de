package import Addresses
package import KubernetesAPI

/// What routing needs to know of a node.
package struct ClusterNode: Hashable, Sendable {
    /// The node's name.
    package let name: String
    /// The blocks of its pods' addresses, primary family first.
    package let podPrefixes: [IPPrefix]
    /// Its own addresses, primary family first.
    package let addresses: [IPAddress]

    /// Describes a node.
    package init(name: String, podPrefixes: [IPPrefix], addresses: [IPAddress]) {
        self.name = name
        self.podPrefixes = podPrefixes
        self.addresses = addresses
    }

    /// Reads a Node; blocks and addresses that are no such text are left out.
    package init(_ node: Node) {
        let blocks = node.spec?.podCIDRs ?? (node.spec?.podCIDR).map { [$0] } ?? []
        self.init(
            name: node.metadata.name ?? "",
            podPrefixes: blocks.compactMap { IPPrefix(masking: $0) },
            addresses: (node.status?.addresses ?? []).compactMap {
                $0.type == "InternalIP" ? IPAddress($0.address) : nil
            })
    }

    /// The node with what its NodeNetwork tells as well: further blocks, those that become empty included.
    package func adding(_ network: NodeNetwork?) -> ClusterNode {
        let blocks = (network?.spec?.blocks ?? []).compactMap { IPPrefix($0.cidr) }
        return ClusterNode(
            name: name, podPrefixes: podPrefixes + blocks.filter { !podPrefixes.contains($0) }, addresses: addresses)
    }

    /// The node's first address of a family.
    package func address(_ family: IPFamily) -> IPAddress? {
        addresses.first { $0.family == family }
    }
}
