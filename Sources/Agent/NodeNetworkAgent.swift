import ClusterDNS
import KubernetesAPI
import KubernetesClient
public import Logging
import PodRouting
public import ServiceLifecycle
import ServiceProxy

/// The network of one node: pod routes, Services and names, fed by one watch of each resource.
public struct NodeNetworkAgent: ServiceLifecycle.Service {
    private let client: KubernetesClient
    private let components: [any ServiceLifecycle.Service]
    private let logger: Logger

    /// Composes the services of a node; throws when the kubeconfig cannot be used.
    public init(configuration: AgentConfiguration, logger: Logger) throws {
        client = try KubernetesClient(
            configuration: ClientConfiguration(kubeconfigPath: configuration.kubeconfigPath), userAgent: "duet-agent")
        let nodes = Informer<Node>(client: client, logger: logger)
        let networks = Informer<NodeNetwork>(client: client, logger: logger)
        let services = Informer<KubernetesAPI.Service>(client: client, logger: logger) { $0.trimForNode() }
        let endpointSlices = Informer<EndpointSlice>(client: client, logger: logger) { $0.trimForNode() }
        let serviceRanges = Informer<ServiceCIDR>(client: client, logger: logger)
        let namespaces = Informer<Namespace>(client: client, logger: logger)
        let names = ClusterDNSInformers(
            services: services, endpointSlices: endpointSlices, namespaces: namespaces, nodes: nodes,
            networks: networks, pods: ClusterDNSInformers.pods(configuration.names, client: client, logger: logger))
        let proxy = configuration.services.map { [client] options in
            ServiceProxyService(
                services: services, endpointSlices: endpointSlices, nodes: nodes, networks: networks,
                serviceRanges: serviceRanges, client: client, nodeName: configuration.routing.nodeName,
                options: options, logger: logger)
        }
        var routing = configuration.routing
        // They stand for pods, which see pods' own addresses.
        if let range = configuration.services?.crossFamily?.standIns { routing.masquerade.exempt.append(range) }
        let components: [(any ServiceLifecycle.Service)?] = [
            nodes, networks, services, endpointSlices, namespaces, names.pods, proxy.map { _ in serviceRanges },
            PodRoutingService(
                nodes: nodes, networks: networks, client: client, configuration: routing, logger: logger),
            BlockUsageService(client: client, networks: networks, configuration: configuration.routing, logger: logger),
            proxy,
            try ClusterDNSService(informers: names, configuration: configuration.names, logger: logger),
        ]
        self.components = components.compactMap(\.self)
        self.logger = logger
    }

    /// Runs until the task is cancelled or the service group shuts down; the kernel keeps what it was told.
    public func run() async throws {
        do {
            try await ServiceGroup(services: components, logger: logger).run()
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }
}
