import Addresses
import CNI

/// Which gateways an attachment to a bridge has.
struct BridgeGateways {
    private let isGateway: Bool
    private let isDefaultGateway: Bool

    init(_ configuration: BridgeConfiguration) {
        isGateway = configuration.isGateway
        isDefaultGateway = configuration.isDefaultGateway
    }

    /// Completes an IPAM result: addresses belong to the container's interface, and where the bridge is the gateway,
    /// each has one and each family a default route with one.
    func complete(_ result: inout CNIResult) {
        for index in result.addresses.indices {
            result.addresses[index].interface = 2
            if isGateway, result.addresses[index].gateway == nil {
                result.addresses[index].gateway = result.addresses[index].address.prefix.address(at: 1)
            }
        }
        guard isDefaultGateway else { return }
        for family in result.families {
            let all = IPPrefix(.unspecified(family), length: 0)
            guard !result.routes.contains(where: { $0.destination == all && $0.gateway != nil }) else { continue }
            result.routes.append(CNIResult.Route(all, gateway: result.gateway(of: family)))
        }
    }

    /// The addresses that the bridge shall have: each gateway with the length of its subnet.
    func addresses(_ result: CNIResult) -> [InterfaceAddress] {
        result.addresses.compactMap { entry in
            entry.gateway.map { InterfaceAddress($0, length: entry.address.length) }
        }
    }
}
