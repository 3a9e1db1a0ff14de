public import KubernetesAPI
public import KubernetesClient
public import Logging
internal import PodRouting
public import ServiceLifecycle

/// Translates for the pods of this node that have IPv6 alone, so that they reach IPv4 by the addresses of DNS64.
///
/// Nothing is removed at the end: what the kernel translates goes on.
public struct NodeTranslationService: ServiceLifecycle.Service {
    /// The objects that translation depends on; the informers are run by whoever made them.
    public struct Informers: Sendable {
        let pods: Informer<Pod>
        let namespaces: Informer<Namespace>
        let nodes: Informer<Node>
        let networks: Informer<NodeNetwork>
        let serviceRanges: Informer<ServiceCIDR>
        let services: Informer<KubernetesAPI.Service>

        /// Gathers the informers.
        public init(
            pods: Informer<Pod>, namespaces: Informer<Namespace>, nodes: Informer<Node>,
            networks: Informer<NodeNetwork>, serviceRanges: Informer<ServiceCIDR>,
            services: Informer<KubernetesAPI.Service>
        ) {
            self.pods = pods
            self.namespaces = namespaces
            self.nodes = nodes
            self.networks = networks
            self.serviceRanges = serviceRanges
            self.services = services
        }
    }

    private let informers: Informers
    private let options: NodeTranslationOptions
    private let nodeName: String
    private let metrics: NodeTranslationMetrics
    private let logger: Logger

    /// How long changes are gathered.
    private static let coalescing = Duration.milliseconds(2)
    /// The least time between two looks at what changed in the kernel.
    private static let calm = Duration.milliseconds(100)
    private static let retryInterval = Duration.seconds(1)
    private static let auditInterval = Duration.seconds(5)
    /// How long kinds are waited for that a foreign API server may not have.
    private static let patience = Duration.seconds(5)

    /// Follows informers that run elsewhere.
    public init(
        informers: Informers, options: NodeTranslationOptions, nodeName: String, metrics: NodeTranslationMetrics,
        logger: Logger
    ) {
        self.informers = informers
        self.options = options
        self.nodeName = nodeName
        self.metrics = metrics
        self.logger = logger
    }

    /// Translates until the task is cancelled or the service group shuts down.
    public func run() async throws {
        let watch = try KernelWatch()
        let translator = try NodeTranslator(options: options, nodeName: nodeName, metrics: metrics, logger: logger)
        let (changes, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                for follow in followers(translator, signal) { group.addTask(operation: follow) }
                group.addTask {
                    for await _ in changes {
                        try? await Task.sleep(for: Self.coalescing)
                        await translator.flush()
                    }
                }
                group.addTask {
                    for await _ in watch.signals() {
                        // What happens during the pause is looked at together.
                        if await translator.changed(watch.take()) { try? await Task.sleep(for: Self.calm) }
                    }
                }
                group.addTask { await auditRegularly(translator, signal) }
                await group.waitForAll()
            }
        }
    }

    private func auditRegularly(_ translator: NodeTranslator, _ signal: AsyncStream<Void>.Continuation) async {
        var next = ContinuousClock.now + Self.auditInterval
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.retryInterval)
            // What has failed before the beginning begins again.
            signal.yield()
            let isDue = ContinuousClock.now >= next
            guard await translator.needsRetry || isDue else { continue }
            await translator.audit()
            if isDue { next = ContinuousClock.now + Self.auditInterval }
        }
    }

    private func followers(
        _ translator: NodeTranslator, _ signal: AsyncStream<Void>.Continuation
    ) -> [@Sendable () async -> Void] {
        [
            { await follow(informers.pods, .pods, translator, signal) { $0.set($1, pod: $2) } },
            {
                await follow(informers.namespaces, .namespaces, translator, signal) {
                    $0.set(namespace: $1.name, $2)
                }
            }, { await follow(informers.nodes, .nodes, translator, signal) { $0.set(node: $1.name, $2) } },
            {
                await follow(informers.networks, .networks, translator, signal) { $0.set(node: $1.name, network: $2) }
            },
            {
                await follow(informers.serviceRanges, .serviceRanges, translator, signal) {
                    $0.set(serviceRange: $1.name, $2)
                }
            }, { await follow(informers.services, .services, translator, signal) { $0.set($1, service: $2) } },
            {
                try? await Task.sleep(for: Self.patience)
                for source in [NodeTranslator.Source.networks, .serviceRanges] { await translator.synced(source) }
                signal.yield()
            },
        ]
    }

    /// Notes every change of a resource; `note` is given the plan, the object's key, and the object, nil once it is gone.
    private func follow<T>(
        _ informer: Informer<T>, _ source: NodeTranslator.Source, _ translator: NodeTranslator,
        _ signal: AsyncStream<Void>.Continuation,
        _ note: @escaping @Sendable (inout TranslationPlan, ObjectKey, T?) -> Void
    ) async {
        for await event in informer.events() {
            switch event {
            case .added(let object), .updated(_, let object): await translator.note { note(&$0, object.key, object) }
            case .deleted(let object): await translator.note { note(&$0, object.key, nil) }
            case .synced: await translator.synced(source)
            }
            signal.yield()
        }
    }
}
