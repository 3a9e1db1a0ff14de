import Addresses
package import KubernetesAPI

/// The slices that stand for Endpoints which a user keeps for a Service without selector.
package struct EndpointMirrorPlan: Sendable {
    /// Slices to create; the server names them.
    package private(set) var create: [EndpointSlice] = []
    /// Slices to replace.
    package private(set) var update: [EndpointSlice] = []
    /// Slices to delete.
    package private(set) var delete: [EndpointSlice] = []
    /// Texts that are no addresses, to be reported.
    package private(set) var invalid: [String] = []
    /// Number of addresses beyond the limit, to be reported.
    package private(set) var skipped = 0

    /// Value of the managed-by label.
    package static let manager = "endpointslicemirroring-controller.k8s.io"
    /// Most addresses taken from one subset.
    static let capacity = 1000

    private struct Group: Hashable {
        let family: IPFamily
        let ports: [EndpointPort]
    }

    /// Plans for Endpoints, given the slices that mirror them so far.
    package init(_ endpoints: Endpoints, existing: [EndpointSlice]) {
        var groups: [Group: [Endpoint]] = [:]
        for subset in endpoints.subsets ?? [] {
            let ready = (subset.addresses ?? []).map { ($0, true) }
            let all = ready + (subset.notReadyAddresses ?? []).map { ($0, false) }
            skipped += max(0, all.count - Self.capacity)
            let ports = (subset.ports ?? []).map {
                EndpointPort(
                    name: $0.name ?? "", port: $0.port, protocol: $0.protocol ?? "TCP", appProtocol: $0.appProtocol)
            }
            for (address, isReady) in all.prefix(Self.capacity) {
                guard let family = IPAddress(sloppy: address.ip)?.family else {
                    invalid.append(address.ip)
                    continue
                }
                groups[Group(family: family, ports: ports), default: []].append(
                    Endpoint(
                        addresses: [address.ip],
                        conditions: EndpointConditions(ready: isReady, serving: isReady, terminating: false),
                        hostname: address.hostname, targetRef: address.targetRef, nodeName: address.nodeName))
            }
        }
        var rest = existing.filter { !$0.isBeingDeleted }.sorted { $0.name < $1.name }
        let (labels, annotations) = Self.metadata(of: endpoints)
        for (group, endpointList) in groups.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            let index = rest.firstIndex { $0.addressType == group.family.name && ($0.ports ?? []) == group.ports }
            guard let index else {
                create.append(
                    EndpointSlice(
                        metadata: ObjectMeta(
                            generateName: "\(endpoints.name)-", namespace: endpoints.metadata.namespace,
                            labels: labels, annotations: annotations,
                            ownerReferences: [endpoints.controllerReference]),
                        addressType: group.family.name, endpoints: endpointList, ports: group.ports))
                continue
            }
            var slice = rest.remove(at: index)
            if slice.endpoints ?? [] != endpointList || slice.metadata.labels != labels
                || slice.metadata.annotations != annotations
            {
                slice.endpoints = endpointList
                slice.metadata.labels = labels
                slice.metadata.annotations = annotations
                update.append(slice)
            }
        }
        delete = rest
    }

    private static func metadata(of endpoints: Endpoints) -> ([String: String], [String: String]?) {
        var labels = endpoints.metadata.labels ?? [:]
        labels[WellKnownLabel.skipMirror] = nil
        labels[WellKnownLabel.serviceName] = endpoints.name
        labels[WellKnownLabel.sliceManagedBy] = manager
        var annotations = endpoints.metadata.annotations ?? [:]
        annotations["kubectl.kubernetes.io/last-applied-configuration"] = nil
        annotations["endpoints.kubernetes.io/last-change-trigger-time"] = nil
        return (labels, annotations.isEmpty ? nil : annotations)
    }
}
