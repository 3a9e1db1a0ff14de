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
        set(ProxiedService(service, family: family), named: ServiceName(service.metadata))
    }

    /// Takes a Service that is gone.
    package mutating func remove(_ service: Service) {
        set(nil as ProxiedService?, named: ServiceName(service.metadata))
    }

    /// Takes an EndpointSlice that was created or changed.
    package mutating func update(_ slice: EndpointSlice) {
        set(ProxiedSlice(slice, family: family), named: ServiceName(slice.metadata))
    }

    /// Takes an EndpointSlice that is gone.
    package mutating func remove(_ slice: EndpointSlice) {
        set(nil as ProxiedSlice?, named: ServiceName(slice.metadata))
    }

    /// Takes this node's object, created or changed.
    package mutating func update(_ node: Node) {
        set(localPods: node.podCIDRs.compactMap { IPPrefix(masking: $0) })
    }
}

extension ProxiedService {
    /// The part of a Service that concerns one family; nil when there is none.
    package init?(_ service: Service, family: IPFamily) {
        guard let spec = service.spec, spec.type != "ExternalName",
            service.metadata.labels?[WellKnownLabel.serviceProxyName] == nil
        else { return nil }
        let texts = spec.clusterIPs ?? (spec.clusterIP.map { [$0] } ?? [])
        // "None" and "" are no addresses, hence headless Services end here.
        guard let address = texts.lazy.compactMap({ IPAddress(sloppy: $0) }).first(where: { $0.family == family })
        else { return nil }
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
    }
}

extension ProxiedSlice {
    /// The part of an EndpointSlice that concerns one family; nil when there is none.
    package init?(_ slice: EndpointSlice, family: IPFamily) {
        guard slice.addressType == family.name, slice.metadata.labels?[WellKnownLabel.headless] == nil,
            let service = slice.metadata.labels?[WellKnownLabel.serviceName]
        else { return nil }
        self.init(
            service: ServiceName(namespace: slice.metadata.namespace ?? "", name: service),
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
                return Endpoint(
                    address: address, isReady: isReady, isServing: endpoint.conditions?.serving ?? isReady,
                    isTerminating: endpoint.conditions?.terminating ?? false)
            })
    }
}

extension UInt16 {
    /// A port number from the wire; nil for none, zero and anything out of range.
    fileprivate init?(portNumber: Int?) {
        guard let portNumber, portNumber > 0 else { return nil }
        self.init(exactly: portNumber)
    }
}
