package import Addresses
internal import Foundation
package import KubernetesAPI
package import WireGuard

/// What routing needs to know of a node.
package struct ClusterNode: Hashable, Sendable {
    /// The node's name.
    package let name: String
    /// The blocks of its pods' addresses, primary family first.
    package let podPrefixes: [IPPrefix]
    /// Its own addresses, primary family first.
    package let addresses: [IPAddress]
    /// The key of its WireGuard link, when it has one.
    package let wireGuardKey: WireGuardKey?
    /// What it says of being a gateway of translated packets; nil where it is none.
    package let gateway: TranslationGateway?
    /// When the Node was made, in the text of the API, which sorts by time.
    package let created: String

    /// Describes a node.
    package init(
        name: String, podPrefixes: [IPPrefix], addresses: [IPAddress], wireGuardKey: WireGuardKey? = nil,
        gateway: TranslationGateway? = nil, created: String = ""
    ) {
        self.name = name
        self.podPrefixes = podPrefixes
        self.addresses = addresses
        self.wireGuardKey = wireGuardKey
        self.gateway = gateway
        self.created = created
    }

    /// Reads a Node; blocks and addresses that are no such text are left out.
    package init(_ node: Node) {
        let blocks = node.spec?.podCIDRs ?? (node.spec?.podCIDR).map { [$0] } ?? []
        self.init(
            name: node.metadata.name ?? "",
            podPrefixes: blocks.compactMap { IPPrefix(masking: $0) },
            addresses: (node.status?.addresses ?? []).compactMap {
                $0.type == "InternalIP" ? IPAddress($0.address) : nil
            },
            gateway: TranslationGateway(node), created: node.metadata.creationTimestamp ?? "")
    }

    /// The node's first address of a family.
    package func address(_ family: IPFamily) -> IPAddress? {
        addresses.first { $0.family == family }
    }

    /// The node with only those of its blocks that pass a test.
    package func keeping(_ isKept: (IPPrefix) -> Bool) -> ClusterNode {
        ClusterNode(
            name: name, podPrefixes: podPrefixes.filter(isKept), addresses: addresses, wireGuardKey: wireGuardKey,
            gateway: gateway, created: created)
    }

    /// The node with what its NodeNetwork tells as well: further blocks, those that become empty included, and its key.
    package func adding(_ network: NodeNetwork?) -> ClusterNode {
        let blocks = (network?.spec?.blocks ?? []).compactMap { IPPrefix($0.cidr) }
        return ClusterNode(
            name: name, podPrefixes: podPrefixes + blocks.filter { !podPrefixes.contains($0) }, addresses: addresses,
            wireGuardKey: network?.status?.wireGuardPublicKey.flatMap(WireGuardKey.init(base64:)), gateway: gateway,
            created: created)
    }
}

extension WireGuardKey {
    /// Reads a key as `wg` writes it.
    package init?(base64 text: String) {
        guard let data = Data(base64Encoded: text) else { return nil }
        self.init(bytes: data)
    }

    /// The key as `wg` writes it.
    package var base64: String {
        Data(bytes).base64EncodedString()
    }
}
