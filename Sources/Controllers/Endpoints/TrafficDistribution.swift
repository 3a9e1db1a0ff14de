import KubernetesAPI

/// For whom an endpoint is meant first, by what the Service asks for (KEP-2433, KEP-4444, KEP-3015).
enum TrafficDistribution {
    /// Hints of an endpoint for a Service with `trafficDistribution`; nil when it asks for nothing of the kind.
    ///
    /// Only ready endpoints have hints; the zone stands beside the node for proxies that know zones only.
    static func hints(for endpoint: Endpoint, of service: KubernetesAPI.Service) -> EndpointHints? {
        guard endpoint.conditions?.ready == true else { return nil }
        let zones = endpoint.zone.map { [ForName(name: $0)] }
        switch service.spec?.trafficDistribution {
        case "PreferClose", "PreferSameZone":
            return zones.map { EndpointHints(forZones: $0) }
        case "PreferSameNode":
            let nodes = endpoint.nodeName.map { [ForName(name: $0)] }
            return nodes == nil && zones == nil ? nil : EndpointHints(forZones: zones, forNodes: nodes)
        default:
            return nil
        }
    }
}
