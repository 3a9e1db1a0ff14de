package import Addresses
internal import PodRouting

/// By which node, and under which addresses, translated packets leave the cluster.
package enum TranslationExit: Hashable, Sendable {
    /// This node, by those of its addresses that `--nat64-egress` names, or the link's; there are no gateways.
    case own
    /// This node, which is the gateway of some others, too, by these addresses; none leaves it to `own`'s rule.
    case gateway(egress: [IPv4Address])
    /// Another node, at which an address stands for this one.
    case sender(IPv4Address, gateway: String)

    var isGateway: Bool {
        if case .gateway = self { true } else { false }
    }

    /// The address that stands for this node at its gateway; nil where it has none.
    var sender: IPv4Address? {
        if case .sender(let address, _) = self { address } else { nil }
    }

    /// What a node's objects call for.
    init(of node: String, _ gateways: TranslationGateways) {
        guard let name = gateways.gateway(of: node) else {
            self = .own
            return
        }
        if name == node {
            self = .gateway(egress: gateways.gateway(name)?.egress ?? [])
        } else if let address = gateways.address(of: node) {
            self = .sender(address, gateway: name)
        } else {
            self = .own
        }
    }

    /// The one of some addresses that stands for another one: always the same as long as they are.
    static func choose(_ addresses: [IPv4Address], for address: IPv4Address) -> IPv4Address? {
        addresses.isEmpty ? nil : addresses[Int(address.rawValue) % addresses.count]
    }
}
