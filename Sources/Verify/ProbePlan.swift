internal import Addresses
package import KubernetesAPI

/// The objects of a cluster that say what must answer.
package struct ClusterObjects: Sendable {
    package var services: [Service]
    package var slices: [EndpointSlice]
    package var nodes: [Node]
    package var clients: [Pod]

    package init(services: [Service], slices: [EndpointSlice], nodes: [Node], clients: [Pod]) {
        self.services = services
        self.slices = slices
        self.nodes = nodes
        self.clients = clients
    }
}

/// Plans a probe of every Service, on each of its families, by each of its addresses and its name, from the
/// host and from a pod on each node.
package struct ProbePlan: Sendable {
    package let objects: ClusterObjects
    package let clusterDomain: String

    package init(objects: ClusterObjects, clusterDomain: String = "cluster.local") {
        self.objects = objects
        self.clusterDomain = clusterDomain
    }

    /// The probes, those of one Service, family and target side by side.
    package func probes() -> [Probe] {
        objects.services.sorted { ($0.fullName) < ($1.fullName) }.flatMap { service in
            IPFamily.allCases.filter { service.families.contains($0) }.flatMap { family in
                (service.spec?.ports ?? []).flatMap { port in
                    targets(of: service, port: port, family: family).flatMap { target, number, request in
                        vantagePoints.map { from in
                            Probe(
                                service: service.fullName, family: family, target: target, port: number,
                                request: request, from: from)
                        }
                    }
                }
            }
        }
    }

    /// The host, and one running client pod of each node.
    var vantagePoints: [Probe.VantagePoint] {
        var byNode: [String: PodLocation] = [:]
        for pod in objects.clients where pod.isReady && pod.metadata.deletionTimestamp == nil {
            guard let node = pod.spec?.nodeName, let name = pod.metadata.name,
                let container = pod.spec?.containers.first?.name
            else { continue }
            byNode[node] = PodLocation(
                namespace: pod.metadata.namespace ?? "", pod: name, container: container, node: node)
        }
        return [.host] + byNode.values.sorted { $0.node < $1.node }.map { .pod($0) }
    }

    private func targets(
        of service: Service, port: ServicePort, family: IPFamily
    ) -> [(Probe.Target, UInt16, Probe.Request)] {
        guard let request = request(for: port), let number = UInt16(exactly: port.port) else { return [] }
        let name = "\(service.metadata.name ?? "").\(service.metadata.namespace ?? "").svc.\(clusterDomain)"
        guard let address = service.clusterAddress(of: family) else {
            let endpoints = endpoints(of: service, port: port, family: family)
            return endpoints.map { (.name(name, resolvesTo: $0.value), $0.key, request) }
        }
        var targets: [(Probe.Target, UInt16, Probe.Request)] = [
            (.clusterIP(address), number, request), (.name(name, resolvesTo: [address]), number, request),
        ]
        if let nodePort = port.nodePort.flatMap({ UInt16(exactly: $0) }), nodePort != 0 {
            for node in objects.nodes.sorted(by: { ($0.metadata.name ?? "") < ($1.metadata.name ?? "") }) {
                guard let address = node.internalAddress(of: family) else { continue }
                targets.append((.nodePort(node: node.metadata.name ?? "", address), nodePort, request))
            }
        }
        return targets
    }

    /// How a port is asked for an answer; nil when there is no telling.
    private func request(for port: ServicePort) -> Probe.Request? {
        switch port.protocol ?? "TCP" {
        case "TCP": port.port == 80 || port.name?.hasPrefix("http") == true && port.port != 443 ? .http : .connection
        case "UDP" where port.port == 53: .query("kubernetes.default.svc.\(clusterDomain)")
        default: nil
        }
    }

    /// The ready endpoints of a headless Service by the port that they serve a Service port on.
    private func endpoints(of service: Service, port: ServicePort, family: IPFamily) -> [UInt16: Set<IPAddress>] {
        var addresses: [UInt16: Set<IPAddress>] = [:]
        for slice in objects.slices
        where slice.addressType == family.name && slice.metadata.namespace == service.metadata.namespace
            && slice.metadata.labels?[WellKnownLabel.serviceName] == service.metadata.name
        {
            for target in slice.ports ?? [] where (target.name ?? "") == (port.name ?? "") {
                guard let number = target.port.flatMap({ UInt16(exactly: $0) }) else { continue }
                let ready = (slice.endpoints ?? []).filter { $0.conditions?.ready ?? true }
                addresses[number, default: []].formUnion(
                    ready.compactMap { $0.addresses.first.flatMap { IPAddress($0) } })
            }
        }
        return addresses
    }
}

extension Service {
    var fullName: String { "\(metadata.namespace ?? "")/\(metadata.name ?? "")" }

    fileprivate var families: [IPFamily] { (spec?.ipFamilies ?? []).compactMap { IPFamily(name: $0) } }

    func clusterAddress(of family: IPFamily) -> IPAddress? {
        (spec?.clusterIPs ?? []).lazy.compactMap { IPAddress($0) }.first { $0.family == family }
    }
}

extension Node {
    fileprivate func internalAddress(of family: IPFamily) -> IPAddress? {
        (status?.addresses ?? []).lazy.filter { $0.type == "InternalIP" }.compactMap { IPAddress($0.address) }
            .first { $0.family == family }
    }
}
