import Addresses
import DNSMessage
import KubernetesAPI

/// An endpoint that takes traffic, and its name below that of its Service.
struct ReadyEndpoint {
    let address: IPAddress
    let name: DNSName
    let ports: [EndpointPort]

    /// The ready endpoints of a slice; slices of names instead of addresses have none.
    static func read(
        _ slice: EndpointSlice, base: DNSName, includingUnready: Bool, options: ClusterNamesOptions
    ) -> [ReadyEndpoint] {
        guard let family = IPFamily(name: slice.addressType) else { return [] }
        return (slice.endpoints ?? []).compactMap { endpoint in
            guard includingUnready || endpoint.conditions?.ready != false,
                let address = endpoint.addresses.first.flatMap({ IPAddress(sloppy: $0) }), address.family == family
            else { return nil }
            let label = label(of: endpoint, options) ?? address.endpointLabel
            guard let name = base.prepending(label) else { return nil }
            return ReadyEndpoint(address: address, name: name, ports: slice.ports ?? [])
        }
    }

    /// The name that an endpoint has been given; nil if it is named after its address.
    private static func label(of endpoint: Endpoint, _ options: ClusterNamesOptions) -> String? {
        if let hostname = endpoint.hostname, !hostname.isEmpty { return hostname.lowercased() }
        guard options.usesPodNames, let target = endpoint.targetRef, target.kind == "Pod", let name = target.name,
            name.utf8.count <= 63, !name.contains(".")
        else { return nil }
        return name.lowercased()
    }
}

extension IPAddress {
    /// The address as a DNS label: dashes for separators, and a zero where a dash would stand at an end.
    var endpointLabel: String {
        let dashed = String(description.map { $0 == "." || $0 == ":" ? "-" : $0 })
        return (dashed.hasPrefix("-") ? "0" : "") + dashed + (dashed.hasSuffix("-") ? "0" : "")
    }
}
