package import Addresses
package import KubernetesAPI

/// A pod as an endpoint of a Service, apart from the form it is published in.
struct PodEndpoint {
    let pod: Pod
    let address: String
    let ports: [EndpointPort]
    let hostname: String?
    let isReady: Bool
    let isServing: Bool

    /// True when a pod counts as an endpoint at all: it has an address and has not ended.
    static func isCandidate(_ pod: Pod) -> Bool {
        !pod.isFinished && !pod.addresses.isEmpty
    }

    /// The endpoint of a pod in one family; nil when the pod has no address of that family.
    init?(_ pod: Pod, of service: KubernetesAPI.Service, family: IPFamily) {
        guard Self.isCandidate(pod),
            let address = pod.addresses.first(where: { IPAddress($0)?.family == family })
        else { return nil }
        self.pod = pod
        self.address = address
        ports = service.endpointPorts(for: pod)
        let spec = pod.spec
        let isNamed = !(spec?.hostname ?? "").isEmpty && spec?.subdomain == service.name
        hostname = isNamed ? spec?.hostname : nil
        isServing = pod.isReady
        isReady = service.spec?.publishNotReadyAddresses == true || (pod.isReady && !pod.isBeingDeleted)
    }
}

extension KubernetesAPI.Service {
    /// True for a Service whose endpoints the controllers find themselves.
    var hasSelectedEndpoints: Bool {
        spec?.selector.map { !$0.isEmpty } ?? false && spec?.type != "ExternalName"
    }

    /// True when the Service has no virtual address.
    var isHeadless: Bool { spec?.clusterIP ?? "" == "" || spec?.clusterIP == "None" }

    /// The families of the Service, primary first; of objects from older servers what the addresses tell.
    package var families: [IPFamily] {
        let named = (spec?.ipFamilies ?? []).compactMap { IPFamily(name: $0) }
        if !named.isEmpty {
            return named
        }
        if let address = spec?.clusterIP.flatMap({ IPAddress($0) }) {
            return [address.family]
        }
        return [.ipv4, .ipv6]
    }

    /// The Service's ports as this pod serves them; ports that the pod does not have are left out.
    func endpointPorts(for pod: Pod) -> [EndpointPort] {
        (spec?.ports ?? []).compactMap { port in
            let transport = port.protocol ?? "TCP"
            let number: Int?
            switch port.targetPort {
            case nil, .int(0): number = port.port
            case .int(let value): number = value
            case .string(let name): number = pod.containerPort(named: name, transport: transport)
            }
            return number.map {
                EndpointPort(name: port.name ?? "", port: $0, protocol: transport, appProtocol: port.appProtocol)
            }
        }
    }
}

extension Pod {
    /// Number of the port of that name and protocol, among containers and then sidecars.
    func containerPort(named name: String, transport: String) -> Int? {
        let sidecars = (spec?.initContainers ?? []).filter { $0.restartPolicy == "Always" }
        for container in (spec?.containers ?? []) + sidecars {
            for port in container.ports ?? [] where port.name == name && port.protocol ?? "TCP" == transport {
                return port.containerPort
            }
        }
        return nil
    }
}
