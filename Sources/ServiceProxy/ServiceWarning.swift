internal import Addresses
package import KubernetesAPI

/// Something about a Service that surprises, for an event on it.
package struct ServiceWarning: Hashable, Sendable {
    /// One CamelCase word.
    package let reason: String
    package let message: String

    package init(reason: String, message: String) {
        self.reason = reason
        self.message = message
    }
}

extension ServiceWarning {
    /// What the author of a Service may not foresee of its families: addresses that do not answer, and callers that
    /// are not admitted.
    ///
    /// - Parameter isTranslated: whether the Service is translated between families.
    package static func warnings(of service: Service, isTranslated: Bool = false) -> Set<ServiceWarning> {
        var families = IPFamily.allCases.filter { ProxiedService(service, family: $0) != nil }
        // By translation the addresses of a family answer without a cluster address of it.
        if isTranslated, !families.isEmpty { families = IPFamily.allCases }
        // One that is not for this proxy has none.
        guard let spec = service.spec, !families.isEmpty else { return [] }
        let balanced = (service.status?.loadBalancer?.ingress ?? []).compactMap(\.ip)
        var warnings: Set<ServiceWarning> = []
        let places = [("externalIPs", spec.externalIPs ?? []), ("status.loadBalancer.ingress", balanced)]
        for (field, texts) in places {
            for text in texts {
                guard let address = IPAddress(sloppy: text), !families.contains(address.family) else { continue }
                warnings.insert(
                    ServiceWarning(
                        // The word that kube-proxy has for it.
                        reason: "KubeProxyIncorrectIPVersion",
                        message: "\(address) in \(field) does not answer, because the Service has no \(address.family) "
                            + "cluster address: add \(address.family.name) to ipFamilies, or remove the address"))
            }
        }
        let ranges = (spec.loadBalancerSourceRanges ?? []).compactMap { IPPrefix(masking: $0.trimmingBlanks)?.family }
        guard spec.type == "LoadBalancer", !ranges.isEmpty else { return warnings }
        for family in families where !ranges.contains(family) {
            warnings.insert(
                ServiceWarning(
                    reason: "SourceRangesOfOneFamily",
                    message: "loadBalancerSourceRanges has no \(family.name) range, so nobody may call the load "
                        + "balancer's \(family.name) addresses: add one; \(IPPrefix.everything(of: family)) admits "
                        + "everyone"))
        }
        return warnings
    }
}

/// A Service that wants a frontend which another has.
package struct FrontendConflict: Hashable, Sendable {
    package let frontend: Frontend
    package let loser: ServiceName
    package let holder: ServiceName

    package init(frontend: Frontend, loser: ServiceName, holder: ServiceName) {
        self.frontend = frontend
        self.loser = loser
        self.holder = holder
    }

    /// What to tell the loser.
    package var warning: ServiceWarning {
        let place = frontend.address.map { "\($0)" } ?? "the node"
        return ServiceWarning(
            reason: "AddressInUse",
            message: "\(place) port \(frontend.port)/\(frontend.transport) belongs to Service \(holder): "
                + "give one of the two another address or port")
    }
}
