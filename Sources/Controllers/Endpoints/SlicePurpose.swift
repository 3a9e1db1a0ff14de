import Addresses
import KubernetesAPI

/// Whom the slices of a Service are for, and with that whose addresses they hold.
package enum SlicePurpose: Sendable {
    /// Everyone: the pods' addresses of the Service's families.
    case everyone
    /// Duet's proxies alone: the addresses of pods that have none of the Service's families, and are reached by translation.
    ///
    /// They carry another label than `kubernetes.io/service-name`, so that nobody else takes them for the Service's.
    case translation

    /// Value of the managed-by label.
    package var manager: String {
        switch self {
        case .everyone: EndpointSlicePlan.manager
        case .translation: "cross-family.network.duet.dev"
        }
    }

    /// The families that a Service has slices of.
    func families(of service: KubernetesAPI.Service) -> [IPFamily] {
        let own = service.families
        return self == .everyone ? own : IPFamily.allCases.filter { !own.contains($0) }
    }

    /// Whether a pod that a Service selects is in its slices.
    func includes(_ pod: Pod, of service: KubernetesAPI.Service) -> Bool {
        guard self == .translation else { return true }
        let own = service.families
        return !pod.addresses.contains { address in IPAddress(address).map { own.contains($0.family) } ?? false }
    }

    /// The labels of a Service's slices.
    func labels(of service: KubernetesAPI.Service) -> [String: String] {
        guard self == .everyone else {
            return [WellKnownLabel.translatedServiceName: service.name, WellKnownLabel.sliceManagedBy: manager]
        }
        var labels = (service.metadata.labels ?? [:]).filter { !Self.controlledLabels.contains($0.key) }
        labels[WellKnownLabel.serviceName] = service.name
        labels[WellKnownLabel.sliceManagedBy] = manager
        if service.isHeadless {
            labels[WellKnownLabel.headless] = ""
        }
        return labels
    }

    private static let controlledLabels: Set<String> = [
        WellKnownLabel.serviceName, WellKnownLabel.sliceManagedBy, WellKnownLabel.headless,
    ]
}
