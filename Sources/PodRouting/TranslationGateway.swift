package import Addresses
package import KubernetesAPI

/// What a Node says of being the one by which other nodes' pods reach IPv4 (NAT64).
package struct TranslationGateway: Hashable, Sendable {
    /// The annotation: `enabled`, or the addresses by which packets leave, separated by commas.
    package static let annotation = "network.duet.dev/nat64-gateway"

    /// The addresses by which packets leave; none leaves the choice to the gateway.
    package let egress: [IPv4Address]
    /// Whether its Node is ready, and has an address to send to.
    package let isReady: Bool

    package init(egress: [IPv4Address] = [], isReady: Bool = true) {
        self.egress = egress
        self.isReady = isReady
    }

    /// Reads a Node; nil where it is no gateway, or its annotation cannot be read.
    package init?(_ node: Node) {
        guard let text = node.metadata.annotations?[Self.annotation], let egress = Self.egress(text) else { return nil }
        // A Node of which nobody says whether it is ready is taken for ready: nobody watches it.
        let isReady = node.status?.conditions?["Ready"].map { $0.status == "True" } ?? true
        let hasAddresses = node.status?.addresses?.isEmpty == false
        self.init(egress: egress, isReady: isReady && hasAddresses)
    }

    /// The addresses that an annotation names, in order; nil where it says neither that nor `enabled`.
    package static func egress(_ text: String) -> [IPv4Address]? {
        if text == "enabled" { return [] }
        var addresses: Set<IPv4Address> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard case .v4(let address)? = IPAddress(String(part)) else { return nil }
            addresses.insert(address)
        }
        return addresses.sorted()
    }
}
