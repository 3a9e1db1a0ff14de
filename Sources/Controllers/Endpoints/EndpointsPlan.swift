package import KubernetesAPI

/// The Endpoints object of a Service: the addresses of its primary family, grouped by ports.
package enum EndpointsPlan {
    /// Most addresses in one object.
    static let capacity = 1000
    static let overCapacity = "endpoints.kubernetes.io/over-capacity"
    static let managedBy = "endpoints.kubernetes.io/managed-by"

    /// The object as it shall be; metadata that users added to `existing` stays.
    package static func endpoints(
        _ service: KubernetesAPI.Service, pods: [Pod], existing: Endpoints?
    ) -> Endpoints {
        guard let family = service.families.first else { return existing ?? Endpoints() }
        let perPod = pods.compactMap { pod -> EndpointSubset? in
            guard let source = PodEndpoint(pod, of: service, family: family),
                !pod.isBeingDeleted || service.spec?.publishNotReadyAddresses == true,
                // A pod that has none of the Service's ports serves nothing here.
                !source.ports.isEmpty || (service.spec?.ports ?? []).isEmpty
            else { return nil }
            let address = EndpointAddress(
                ip: source.address, hostname: source.hostname, nodeName: pod.spec?.nodeName,
                targetRef: pod.endpointReference)
            let ports = source.ports.map {
                EndpointPort(
                    name: ($0.name ?? "").isEmpty ? nil : $0.name, port: $0.port, protocol: $0.protocol,
                    appProtocol: $0.appProtocol)
            }
            return EndpointSubset(
                addresses: source.isReady ? [address] : nil, notReadyAddresses: source.isReady ? nil : [address],
                ports: ports)
        }
        var subsets = perPod.repacked
        let isOverCapacity = subsets.map(\.count).reduce(0, +) > capacity
        truncate(&subsets)
        var result = existing ?? Endpoints(metadata: ObjectMeta(name: service.name, namespace: service.namespace))
        result.subsets = subsets.isEmpty ? nil : subsets
        result.metadata.labels = labels(of: service)
        var annotations = result.metadata.annotations ?? [:]
        annotations[overCapacity] = isOverCapacity ? "truncated" : nil
        result.metadata.annotations = annotations.isEmpty ? nil : annotations
        return result
    }

    private static func labels(of service: KubernetesAPI.Service) -> [String: String] {
        var labels = service.metadata.labels ?? [:]
        labels[managedBy] = "endpoint-controller"
        labels[WellKnownLabel.headless] = service.isHeadless ? "" : nil
        return labels
    }

    /// Keeps as many addresses as one object may hold, ready ones before others, each subset in proportion.
    private static func truncate(_ subsets: inout [EndpointSubset]) {
        let ready = subsets.reduce(0) { $0 + ($1.addresses?.count ?? 0) }
        let other = subsets.reduce(0) { $0 + ($1.notReadyAddresses?.count ?? 0) }
        guard ready + other > capacity else { return }
        if ready > capacity {
            shorten(&subsets, \.addresses, total: ready, to: capacity)
            for index in subsets.indices { subsets[index].notReadyAddresses = nil }
        } else {
            shorten(&subsets, \.notReadyAddresses, total: other, to: capacity - ready)
        }
        subsets.removeAll { $0.addresses == nil && $0.notReadyAddresses == nil }
    }

    /// Leaves every subset its share, rounded up while there is room.
    private static func shorten(
        _ subsets: inout [EndpointSubset], _ list: WritableKeyPath<EndpointSubset, [EndpointAddress]?>, total: Int,
        to limit: Int
    ) {
        var room = limit
        for index in subsets.indices {
            let addresses = subsets[index][keyPath: list] ?? []
            let share = min(room, (addresses.count * limit + total - 1) / total)
            let kept = addresses.prefix(share)
            subsets[index][keyPath: list] = kept.isEmpty ? nil : Array(kept)
            room -= kept.count
        }
    }
}

extension EndpointSubset {
    /// Number of addresses, ready or not.
    fileprivate var count: Int { (addresses ?? []).count + (notReadyAddresses ?? []).count }
}
