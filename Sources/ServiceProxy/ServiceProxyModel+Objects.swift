package import Addresses
package import KubernetesAPI

extension ServiceName {
    package init(_ metadata: ObjectMeta) {
        self.init(namespace: metadata.namespace ?? "", name: metadata.name ?? "")
    }
}

extension ServiceProxyModel {
    /// Takes a Service that was created or changed.
    package mutating func update(_ service: Service) {
        var own = proxied(service, clusterFamily: family)
        if own == nil, let foreign = proxied(service, clusterFamily: family.other), isCrossFamily(foreign),
            foreign.answersElsewhere
        {
            own = foreign
        }
        set(own, named: ServiceName(service.metadata))
    }

    private func proxied(_ service: Service, clusterFamily: IPFamily) -> ProxiedService? {
        var proxied = ProxiedService(service, family: family, clusterFamily: clusterFamily)
        proxied?.wantsTranslation =
            service.wantsTranslation(in: nil) ?? service.metadata.namespace.flatMap { namespaceWishes[$0] }
        return proxied
    }

    /// Takes a namespace as it is now; nil when it is gone.
    ///
    /// - Returns: whether it says something else of translation now, so that its Services are to be taken again.
    package mutating func update(_ namespace: Namespace?, named name: String) -> Bool {
        let old = namespaceWishes[name]
        namespaceWishes[name] = namespace?.wantsTranslation
        return old != namespace?.wantsTranslation
    }

    /// Takes a Service that is gone.
    package mutating func remove(_ service: Service) {
        set(nil as ProxiedService?, named: ServiceName(service.metadata))
    }

    /// Takes an EndpointSlice that was created or changed.
    package mutating func update(_ slice: EndpointSlice) {
        set(ProxiedSlice(slice, family: family), named: ServiceName(slice.metadata))
        noteOther(slice)
    }

    /// Takes an EndpointSlice that is gone.
    package mutating func remove(_ slice: EndpointSlice) {
        set(nil as ProxiedSlice?, named: ServiceName(slice.metadata))
        noteOther(slice)
    }

    /// Takes a slice of the other family, which may have endpoints for a Service of this one.
    private mutating func noteOther(_ slice: EndpointSlice) {
        guard slice.addressType == family.other.name, let service = slice.proxiedService else { return }
        noteChange(ofOtherFamilyOf: service)
    }

    /// Takes this node's object, created or changed.
    package mutating func update(_ node: Node) {
        set(
            ProxiedNode(
                zone: node.metadata.labels?[WellKnownLabel.zone],
                podPrefixes: Set(node.podCIDRs.compactMap { IPPrefix(masking: $0) }),
                addresses: (node.status?.addresses ?? []).compactMap {
                    $0.type == "InternalIP" ? IPAddress(sloppy: $0.address) : nil
                }.filter { $0.family == family }))
    }
}

extension ServiceProxyModel {
    /// Takes the objects that say where Services get their addresses.
    package mutating func update(_ ranges: some Sequence<ServiceCIDR>) {
        set(serviceRanges: Set(ranges.flatMap { $0.spec?.cidrs ?? [] }.compactMap { IPPrefix(masking: $0) }))
    }

    /// Takes this node's blocks, nil when nobody keeps such a list.
    package mutating func update(_ network: NodeNetwork?) {
        set(furtherPods: Set((network?.spec?.blocks ?? []).compactMap { IPPrefix(masking: $0.cidr) }))
    }
}

extension ProxiedService {
    /// The part of a Service that concerns one family; nil when there is none.
    ///
    /// - Parameter clusterFamily: the family of the cluster address, where that is to be another one.
    package init?(_ service: Service, family: IPFamily, clusterFamily: IPFamily? = nil) {
        guard let spec = service.spec, spec.type != "ExternalName",
            service.metadata.labels?[WellKnownLabel.serviceProxyName] == nil
        else { return nil }
        func addresses(_ texts: [String]?, of family: IPFamily) -> [IPAddress] {
            (texts ?? []).compactMap { IPAddress(sloppy: $0) }.filter { $0.family == family }
        }
        func own(_ texts: [String]?) -> [IPAddress] { addresses(texts, of: family) }
        // "None" and "" are no addresses, hence headless Services end here.
        let clusterIPs = addresses(spec.clusterIPs ?? spec.clusterIP.map { [$0] }, of: clusterFamily ?? family)
        guard let address = clusterIPs.first else { return nil }
        let hasNodePorts = spec.type == "NodePort" || spec.type == "LoadBalancer"
        self.init(
            clusterIP: address,
            ports: (spec.ports ?? []).compactMap { port in
                guard let transport = TransportProtocol(name: port.protocol), let number = UInt16(portNumber: port.port)
                else { return nil }
                return Port(
                    name: port.name ?? "", transport: transport, port: number,
                    nodePort: hasNodePorts ? UInt16(portNumber: port.nodePort) : nil)
            })
        externalIPs = own(spec.externalIPs)
        // An address of the mode Proxy belongs to a load balancer that wants to see the traffic.
        loadBalancerIPs = own(
            service.status?.loadBalancer?.ingress?.filter { ($0.ipMode ?? "VIP") == "VIP" }.compactMap(\.ip))
        // Ranges of the other family alone admit nobody: whoever lists sources did not mean everyone.
        if let ranges = spec.loadBalancerSourceRanges, !ranges.isEmpty {
            admittedSources = Set(
                ranges.compactMap { IPPrefix(masking: $0.trimmingBlanks) }.filter { $0.family == family })
        }
        internalIsLocal = spec.internalTrafficPolicy == "Local"
        externalIsLocal = spec.externalTrafficPolicy == "Local"
        if spec.type == "LoadBalancer" && externalIsLocal {
            healthCheckPort = UInt16(portNumber: spec.healthCheckNodePort)
        }
        if spec.sessionAffinity == "ClientIP" {
            let seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? Self.defaultStickySeconds
            stickySeconds = UInt32(clamping: max(seconds, 1))
        }
    }

    /// Three hours, as the API has it.
    private static let defaultStickySeconds = 10_800
}

extension String {
    /// The text without blanks around it, as the API server accepts them in source ranges.
    var trimmingBlanks: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}

extension ProxiedSlice {
    /// The part of an EndpointSlice that concerns one family; nil when there is none.
    package init?(_ slice: EndpointSlice, family: IPFamily) {
        guard slice.addressType == family.name, let service = slice.proxiedService else { return nil }
        self.init(
            service: service,
            ports: (slice.ports ?? []).compactMap { port in
                guard let transport = TransportProtocol(name: port.protocol), let number = UInt16(portNumber: port.port)
                else { return nil }
                return Port(name: port.name ?? "", transport: transport, port: number)
            },
            endpoints: (slice.endpoints ?? []).compactMap { endpoint in
                // Consumers use the first address only; the others are the same endpoint.
                guard let text = endpoint.addresses.first, let address = IPAddress(sloppy: text),
                    address.family == family
                else { return nil }
                let isReady = endpoint.conditions?.ready ?? true
                var result = Endpoint(
                    address: address, isReady: isReady, isServing: endpoint.conditions?.serving ?? isReady,
                    isTerminating: endpoint.conditions?.terminating ?? false)
                result.nodeName = endpoint.nodeName
                result.forNodes = endpoint.hints?.forNodes?.map(\.name) ?? []
                result.forZones = endpoint.hints?.forZones?.map(\.name) ?? []
                // Of the identifier nothing but its being the same counts, and endpoints are many.
                result.pod = endpoint.targetRef?.uid?.hashValue
                return result
            })
    }
}

extension EndpointSlice {
    /// The Service that the slice belongs to; nil when that is none for proxies.
    fileprivate var proxiedService: ServiceName? {
        guard let labels = metadata.labels, labels[WellKnownLabel.headless] == nil else { return nil }
        let name = labels[WellKnownLabel.serviceName] ?? labels[WellKnownLabel.translatedServiceName]
        return name.map { ServiceName(namespace: metadata.namespace ?? "", name: $0) }
    }
}

extension UInt16 {
    /// A port number from the wire; nil for none, zero and anything out of range.
    fileprivate init?(portNumber: Int?) {
        guard let portNumber, portNumber > 0 else { return nil }
        self.init(exactly: portNumber)
    }
}
