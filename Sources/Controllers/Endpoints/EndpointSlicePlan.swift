package import Addresses
package import KubernetesAPI

/// The writes that bring a Service's slices in line with its pods: as few as possible, never a rearrangement.
package struct EndpointSlicePlan: Sendable {
    /// Slices to create; the server names them.
    package private(set) var create: [EndpointSlice] = []
    /// Slices to replace.
    package private(set) var update: [EndpointSlice] = []
    /// Slices to delete.
    package private(set) var delete: [EndpointSlice] = []
    /// Where the Service asks for hints by zone: why a family has none, or nil for one that has.
    package private(set) var topology: [IPFamily: TopologyHints.Refusal?] = [:]

    /// Value of the managed-by label.
    package static let manager = "endpointslice-controller.k8s.io"
    /// Most endpoints in one slice.
    package static let defaultCapacity = 100

    private let purpose: SlicePurpose

    /// The endpoints that one port map needs in one family.
    private struct Group {
        var ports: [EndpointPort]
        var endpoints: [String: Endpoint] = [:]
        var slices: [EndpointSlice] = []

        var sortKey: String { ports.map(\.sortKey).joined() }
    }

    /// Plans for a Service.
    ///
    /// - Parameters:
    ///   - pods: Pods that the selector matches.
    ///   - zones: Zone by name of node; a node that is missing here does not exist.
    ///   - existing: Slices of this Service that this controller manages.
    ///   - topology: The zones' shares, for a Service that asks for hints by them.
    ///   - purpose: Whom the slices are for.
    ///   - changedAt: When the change happened that the slices will show; nil when that is not known.
    package init(
        _ service: KubernetesAPI.Service, pods: [Pod], zones: [String: String?], existing: [EndpointSlice],
        capacity: Int = EndpointSlicePlan.defaultCapacity, topology: TopologyHints? = nil,
        purpose: SlicePurpose = .everyone, changedAt: Timestamp? = nil
    ) {
        self.purpose = purpose
        let pods = pods.filter { purpose.includes($0, of: service) }
        let uid = service.metadata.uid ?? ""
        let present = existing.filter { !$0.isBeingDeleted }
        let own = present.filter { slice in slice.metadata.ownerReferences?.contains { $0.uid == uid } ?? false }
        delete = present.filter { slice in !own.contains { $0.name == slice.name } }
        let families = purpose.families(of: service)
        delete += own.filter { slice in !families.contains { $0.name == slice.addressType } }
        for family in families {
            plan(
                service, family, pods: pods, zones: zones, existing: own.filter { $0.addressType == family.name },
                capacity: capacity, topology)
        }
        for index in create.indices {
            create[index].metadata.annotations = ChangeTimes.annotations(nil, with: changedAt)
        }
        for index in update.indices {
            update[index].metadata.annotations = ChangeTimes.annotations(
                update[index].metadata.annotations, with: changedAt)
        }
    }

    private mutating func plan(
        _ service: KubernetesAPI.Service, _ family: IPFamily, pods: [Pod], zones: [String: String?],
        existing: [EndpointSlice], capacity: Int, _ hints: TopologyHints?
    ) {
        var groups: [[EndpointPort]: Group] = [:]
        for pod in pods {
            guard let source = PodEndpoint(pod, of: service, family: family) else { continue }
            let node = pod.spec?.nodeName ?? ""
            if !node.isEmpty, zones[node] == nil, service.spec?.publishNotReadyAddresses != true {
                continue
            }
            var endpoint = Endpoint(
                addresses: [source.address],
                conditions: EndpointConditions(
                    ready: source.isReady, serving: source.isServing, terminating: pod.isBeingDeleted),
                hostname: source.hostname, targetRef: pod.endpointReference, nodeName: node.isEmpty ? nil : node,
                zone: zones[node].flatMap { $0 })
            if hints == nil { endpoint.hints = TrafficDistribution.hints(for: endpoint, of: service) }
            groups[source.ports, default: Group(ports: source.ports)].endpoints[endpoint.identity] = endpoint
        }
        if let hints { hint(&groups, family, hints) }
        if groups.isEmpty, purpose == .everyone {
            // A Service without endpoints is told apart from one that nobody has looked at yet.
            groups[[]] = Group(ports: [])
        }
        var unused: [EndpointSlice] = []
        for slice in existing.sorted(by: { $0.name < $1.name }) {
            if groups[slice.portKey] == nil {
                unused.append(slice)
            } else {
                groups[slice.portKey]?.slices.append(slice)
            }
        }
        let labels = purpose.labels(of: service)
        var created: [EndpointSlice] = []
        for group in groups.values.sorted(by: { $0.sortKey < $1.sortKey }) {
            fill(group, labels: labels, capacity: capacity, created: &created, unused: &unused) {
                Self.empty(service, family, ports: group.ports, labels: labels)
            }
        }
        // A slice to delete and one to create become one update.
        for slice in created {
            if var reused = unused.popLast() {
                reused.metadata.labels = labels
                reused.ports = slice.ports
                reused.endpoints = slice.endpoints
                update.append(reused)
            } else {
                create.append(slice)
            }
        }
        delete += unused
    }

    /// Gives the ready endpoints of a family the zones that they are for, or none of them.
    private mutating func hint(
        _ groups: inout [[EndpointPort]: Group], _ family: IPFamily, _ hints: TopologyHints
    ) {
        let ready = groups.flatMap { ports, group in
            group.endpoints.filter { $0.value.conditions?.ready == true }.map { (ports: ports, key: $0.key) }
        }.sorted { $0.key < $1.key }
        switch hints.zones(for: ready.compactMap { groups[$0.ports]?.endpoints[$0.key] }) {
        case .failure(let refusal):
            topology.updateValue(refusal, forKey: family)
        case .success(let zones):
            for (place, zone) in zip(ready, zones) {
                groups[place.ports]?.endpoints[place.key]?.hints = EndpointHints(forZones: [ForName(name: zone)])
            }
            topology.updateValue(nil, forKey: family)
        }
    }

    private mutating func fill(
        _ group: Group, labels: [String: String], capacity: Int, created: inout [EndpointSlice],
        unused: inout [EndpointSlice], empty: () -> EndpointSlice
    ) {
        var missing = group.endpoints
        var kept: [EndpointSlice] = []
        var changed: [EndpointSlice] = []
        for slice in group.slices {
            var slice = slice
            let before = slice.endpoints ?? []
            let after = before.compactMap { missing.removeValue(forKey: $0.identity) }
            slice.endpoints = after
            if after.isEmpty, !before.isEmpty {
                unused.append(slice)
            } else if after != before || slice.metadata.labels != labels {
                slice.metadata.labels = labels
                changed.append(slice)
            } else {
                kept.append(slice)
            }
        }
        var rest = missing.values.sorted { $0.identity < $1.identity }[...]
        func top(_ slice: inout EndpointSlice) {
            let room = max(0, capacity - (slice.endpoints?.count ?? 0))
            slice.endpoints = (slice.endpoints ?? []) + rest.prefix(room)
            rest = rest.dropFirst(room)
        }
        // Slices that are written anyway take the new ones, the fullest first.
        changed.sort { ($0.endpoints?.count ?? 0, $1.name) > ($1.endpoints?.count ?? 0, $0.name) }
        for index in changed.indices where !rest.isEmpty {
            top(&changed[index])
        }
        while !rest.isEmpty {
            // A remainder that fills no slice of its own goes where it comes closest to filling one.
            let fitting = kept.indices.filter { (kept[$0].endpoints?.count ?? 0) + rest.count <= capacity }
            if rest.count < capacity,
                let best = fitting.max(by: { (kept[$0].endpoints?.count ?? 0) < (kept[$1].endpoints?.count ?? 0) })
            {
                changed.append(kept.remove(at: best))
                top(&changed[changed.endIndex - 1])
            } else {
                created.append(empty())
                top(&created[created.endIndex - 1])
            }
        }
        if group.endpoints.isEmpty, kept.isEmpty, changed.isEmpty {
            created.append(empty())
        } else {
            // Of several placeholders one is enough.
            for slots in [kept, changed] {
                let spare = slots.filter { ($0.endpoints ?? []).isEmpty }
                let isOnly = group.endpoints.isEmpty
                unused += spare.dropFirst(isOnly ? 1 : 0)
            }
            changed.removeAll { slice in unused.contains { $0.name == slice.name } }
        }
        update += changed
    }

    private static func empty(
        _ service: KubernetesAPI.Service, _ family: IPFamily, ports: [EndpointPort], labels: [String: String]
    ) -> EndpointSlice {
        EndpointSlice(
            metadata: ObjectMeta(
                generateName: "\(service.name)-", namespace: service.metadata.namespace, labels: labels,
                ownerReferences: [service.controllerReference]),
            addressType: family.name, endpoints: [], ports: ports)
    }
}

extension Pod {
    /// The reference by which endpoints name a pod.
    var endpointReference: ObjectReference {
        ObjectReference(kind: "Pod", namespace: metadata.namespace, name: metadata.name, uid: metadata.uid)
    }
}

extension Endpoint {
    /// What stays the same while an endpoint's condition changes.
    fileprivate var identity: String {
        "\(targetRef?.uid ?? "") \(addresses.first ?? "")"
    }
}
