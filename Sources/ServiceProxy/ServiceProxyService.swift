internal import Addresses
public import KubernetesAPI
public import KubernetesClient
public import Logging
public import ServiceLifecycle

/// Makes the Services of the cluster answer on this node: on cluster addresses and node ports, in each family.
///
/// It only writes rules; the kernel carries the traffic, and goes on when this ends.
public final class ServiceProxyService: ServiceLifecycle.Service {
    private let services: Informer<KubernetesAPI.Service>
    private let endpointSlices: Informer<EndpointSlice>
    private let namespaces: Informer<Namespace>
    private let nodes: Informer<Node>
    private let networks: Informer<NodeNetwork>
    private let serviceRanges: Informer<ServiceCIDR>
    private let client: KubernetesClient
    private let nodeName: String
    private let options: ProxyOptions
    private let moreMetrics: @Sendable () -> String
    private let logger: Logger

    /// Time between comparisons of everything.
    private static let auditInterval = Duration.seconds(60)
    /// Time between looks for damage by others, and for datagrams that changes overtook.
    private static let lookInterval = Duration.seconds(1)

    /// A proxy for the node of a name, fed by informers that others run; the client writes events.
    ///
    /// - Parameter moreMetrics: what `/metrics` tells of other parts of the node's network, as Prometheus reads it.
    public init(
        services: Informer<KubernetesAPI.Service>, endpointSlices: Informer<EndpointSlice>,
        namespaces: Informer<Namespace>, nodes: Informer<Node>, networks: Informer<NodeNetwork>,
        serviceRanges: Informer<ServiceCIDR>, client: KubernetesClient, nodeName: String,
        options: ProxyOptions = ProxyOptions(), moreMetrics: @escaping @Sendable () -> String = { "" }, logger: Logger
    ) {
        self.services = services
        self.endpointSlices = endpointSlices
        self.namespaces = namespaces
        self.nodes = nodes
        self.networks = networks
        self.serviceRanges = serviceRanges
        self.client = client
        self.nodeName = nodeName
        self.options = options
        self.moreMetrics = moreMetrics
        self.logger = logger
    }

    /// Follows the informers until the task is cancelled; throws when the kernel can do it for no family.
    public func run() async throws {
        let events = EventRecorder(component: "duet-agent", node: nodeName)
        let reporter = ServiceReporter(
            events: events,
            isTranslated: { [options, namespaces] service in
                options.crossFamily.map {
                    service.wantsTranslation(in: namespaces.store.get(nil, service.namespace)) ?? $0.includesAll
                } ?? false
            }, lookup: { [services] in services.store.get($0.namespace, $0.name) })
        let engine = try ProxyEngine(
            nodeName: nodeName, options: options, reporter: reporter,
            servicesOfNamespace: { [services] in services.store.list(namespace: $0) }, moreMetrics: moreMetrics,
            logger: logger)
        await cancelWhenGracefulShutdown {
            [services, endpointSlices, namespaces, nodes, networks, serviceRanges, client, logger] in
            await withTaskGroup { group in
                group.addTask { await events.run(client: client, logger: logger) }
                group.addTask {
                    for await event in services.events() { await engine.take(event) }
                }
                group.addTask {
                    for await event in endpointSlices.events() { await engine.take(event) }
                }
                group.addTask {
                    for await event in namespaces.events() { await engine.take(event) }
                }
                group.addTask {
                    for await event in nodes.events() { await engine.take(event) }
                }
                group.addTask {
                    for await event in networks.events() { await engine.take(event) }
                }
                group.addTask {
                    for await event in serviceRanges.events() { await engine.take(event) }
                }
                group.addTask { await engine.run() }
                group.addTask {
                    while (try? await Task.sleep(for: Self.auditInterval)) != nil { await engine.audit() }
                }
                group.addTask {
                    while (try? await Task.sleep(for: Self.lookInterval)) != nil { await engine.lookAfter() }
                }
            }
        }
    }
}
