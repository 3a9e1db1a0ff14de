import ClusterDNS
import KubernetesAPI
import KubernetesClient
public import Logging
import NodeTranslation
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
        let networks = Informer<NodeNetwork>(client: client, isOptional: true, logger: logger)
        let services = Informer<KubernetesAPI.Service>(client: client, logger: logger) { $0.trimForNode() }
        let endpointSlices = Informer<EndpointSlice>(client: client, logger: logger) { $0.trimForNode() }
        let serviceRanges = Informer<ServiceCIDR>(client: client, isOptional: true, logger: logger)
        let namespaces = Informer<Namespace>(client: client, logger: logger)
        let names = ClusterDNSInformers(
            services: services, endpointSlices: endpointSlices, namespaces: namespaces, nodes: nodes,
            networks: networks, pods: ClusterDNSInformers.pods(configuration.names, client: client, logger: logger),
            names: configuration.names.names)
        let metrics = configuration.translation.map { NodeTranslationMetrics(options: $0) }
        let translation = try Self.translation(configuration, metrics, names, services, serviceRanges, logger)
        let proxy = configuration.services.map { [client] options in
            ServiceProxyService(
                services: services, endpointSlices: endpointSlices, namespaces: namespaces, nodes: nodes,
                networks: networks, serviceRanges: serviceRanges, client: client,
                nodeName: configuration.routing.nodeName, options: options, moreMetrics: { metrics?.text ?? "" },
                logger: logger)
        }
        var routing = configuration.routing
        routing.gatewayRange = configuration.translation?.gatewayRange
        // They stand for pods, which see pods' own addresses.
        if let range = configuration.services?.crossFamily?.standIns { routing.masquerade.exempt.append(range) }
        let components: [(any ServiceLifecycle.Service)?] = [
            FreeMemory(), nodes, networks, services, endpointSlices, namespaces, names.pods,
            proxy == nil && translation == nil ? nil : serviceRanges,
            PodRoutingService(
                nodes: nodes, networks: networks, client: client, configuration: routing, logger: logger),
            BlockUsageService(client: client, networks: networks, configuration: configuration.routing, logger: logger),
            proxy, translation,
            configuration.metricsPort.map { port in
                NodeMetricsService(port: port, text: { metrics?.text ?? "" }, logger: logger)
            },
            try ClusterDNSService(informers: names, configuration: configuration.names, logger: logger),
        ]
        self.components = components.compactMap(\.self)
        self.logger = logger
    }

    /// Translation for the node's pods; where it is off, what an earlier agent left of it is removed.
    private static func translation(
        _ configuration: AgentConfiguration, _ metrics: NodeTranslationMetrics?, _ names: ClusterDNSInformers,
        _ services: Informer<KubernetesAPI.Service>, _ serviceRanges: Informer<ServiceCIDR>, _ logger: Logger
    ) throws -> NodeTranslationService? {
        guard let options = configuration.translation, let metrics, let pods = names.pods else {
            do {
                if try TranslationLeftovers.remove() { logger.notice("pods are no longer translated for") }
            } catch {
                logger.error(
                    "what an earlier agent left to translate for pods cannot be removed",
                    metadata: ["error": "\(error)"])
            }
            return nil
        }
        return NodeTranslationService(
            informers: NodeTranslationService.Informers(
                pods: pods, namespaces: names.namespaces, nodes: names.nodes, networks: names.networks,
                serviceRanges: serviceRanges, services: services),
            options: options, nodeName: configuration.routing.nodeName, metrics: metrics, logger: logger)
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
