import Addresses
package import KubernetesAPI

/// The slices that stand for Endpoints which a user keeps for a Service without selector: for each list of ports one of
/// each family, whatever the families of the Service.
package struct EndpointMirrorPlan: Sendable {
    /// Slices to create; the server names them.
    package private(set) var create: [EndpointSlice] = []
    /// Slices to replace.
    package private(set) var update: [EndpointSlice] = []
    /// Slices to delete.
    package private(set) var delete: [EndpointSlice] = []
    /// Number of texts that are no addresses, to be reported.
    package private(set) var invalid = 0
    /// Number of addresses that are in no slice, invalid ones among them, to be reported.
    package private(set) var skipped = 0

    /// Value of the managed-by label.
    package static let manager = "endpointslicemirroring-controller.k8s.io"
    /// Most addresses taken from one list of ports.
    package static let capacity = 1000

    private static let leaderAnnotation = "control-plane.alpha.kubernetes.io/leader"
    private static let lastAppliedAnnotation = "kubectl.kubernetes.io/last-applied-configuration"

    private struct Group: Hashable {
        let family: IPFamily
        let ports: [EndpointPort]
    }

    /// Whether Endpoints are addresses of a Service at all, and their owner has not said that he keeps the slices himself.
    package static func isWanted(_ endpoints: Endpoints) -> Bool {
        endpoints.metadata.labels?[WellKnownLabel.skipMirror] != "true"
            && endpoints.metadata.annotations?[leaderAnnotation] == nil
    }

    /// Plans for Endpoints, given the slices that mirror them so far.
    package init(_ endpoints: Endpoints, existing: [EndpointSlice]) {
        let groups = groups(of: endpoints)
        var unused = existing.filter { !$0.isBeingDeleted }.sorted { $0.name < $1.name }
        var created: [EndpointSlice] = []
        for (group, members) in groups.sorted(by: { Self.sortKey($0.key) < Self.sortKey($1.key) }) {
            let wanted = Self.slice(of: endpoints, group, members)
            let known = unused.firstIndex { $0.addressType == group.family.name && $0.portKey == group.ports }
            if let known {
                let slice = unused.remove(at: known)
                if !slice.shows(wanted) { update.append(slice.replaced(by: wanted)) }
            } else {
                created.append(wanted)
            }
        }
        // A slice to delete and one to create become one update.
        for wanted in created {
            if let index = unused.firstIndex(where: { $0.addressType == wanted.addressType }) {
                update.append(unused.remove(at: index).replaced(by: wanted))
            } else {
                create.append(wanted)
            }
        }
        delete = unused
    }

    /// The endpoints of each slice; what is left out is counted.
    private mutating func groups(of endpoints: Endpoints) -> [Group: [Endpoint]] {
        var groups: [Group: [Endpoint]] = [:]
        for subset in (endpoints.subsets ?? []).repacked {
            let ports = (subset.ports ?? []).map {
                EndpointPort(
                    name: $0.name ?? "", port: $0.port, protocol: $0.protocol ?? "TCP", appProtocol: $0.appProtocol)
            }
            let ready = (subset.addresses ?? []).map { ($0, true) }
            let all = ready + (subset.notReadyAddresses ?? []).map { ($0, false) }
            var added = 0
            for (address, isReady) in all where added < Self.capacity {
                guard let ip = IPAddress(sloppy: address.ip) else {
                    invalid += 1
                    continue
                }
                added += 1
                groups[Group(family: ip.family, ports: ports), default: []].append(
                    Endpoint(
                        addresses: [ip.description],
                        conditions: EndpointConditions(ready: isReady, serving: isReady, terminating: false),
                        hostname: address.hostname, targetRef: address.targetRef, nodeName: address.nodeName))
            }
            skipped += all.count - added
        }
        return groups
    }

    private static func sortKey(_ group: Group) -> String {
        "\(group.family.name) " + group.ports.map(\.sortKey).joined()
    }

    private static func slice(of endpoints: Endpoints, _ group: Group, _ members: [Endpoint]) -> EndpointSlice {
        var labels = endpoints.metadata.labels ?? [:]
        labels[WellKnownLabel.skipMirror] = nil
        labels[WellKnownLabel.serviceName] = endpoints.name
        labels[WellKnownLabel.sliceManagedBy] = manager
        var annotations = endpoints.metadata.annotations ?? [:]
        annotations[lastAppliedAnnotation] = nil
        annotations[ChangeTimes.annotation] = nil
        return EndpointSlice(
            metadata: ObjectMeta(
                generateName: "\(endpoints.name)-", namespace: endpoints.metadata.namespace, labels: labels,
                annotations: annotations.isEmpty ? nil : annotations,
                ownerReferences: [endpoints.controllerReference]),
            addressType: group.family.name, endpoints: members, ports: group.ports)
    }
}

extension EndpointSlice {
    /// Whether a slice is what another one would make of it.
    fileprivate func shows(_ wanted: EndpointSlice) -> Bool {
        (endpoints ?? []) == wanted.endpoints && metadata.labels == wanted.metadata.labels
            && (metadata.annotations ?? [:]) == (wanted.metadata.annotations ?? [:])
            && metadata.ownerReferences == wanted.metadata.ownerReferences
    }

    /// This object with the content of another one.
    fileprivate func replaced(by wanted: EndpointSlice) -> EndpointSlice {
        var slice = self
        slice.endpoints = wanted.endpoints
        slice.ports = wanted.ports
        slice.metadata.labels = wanted.metadata.labels
        slice.metadata.annotations = wanted.metadata.annotations
        slice.metadata.ownerReferences = wanted.metadata.ownerReferences
        return slice
    }
}
