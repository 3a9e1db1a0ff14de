public import KubernetesAPI
public import KubernetesClient
public import Logging
public import ServiceLifecycle

/// The routes between the nodes' pods, the pods' way out of the cluster, and the runtime's CNI configuration.
///
/// Nothing is removed at the end: pods keep their connections while the service is away.
public struct PodRoutingService: ServiceLifecycle.Service {
    private let nodes: Informer<Node>
    private let networks: Informer<NodeNetwork>
    private let configuration: PodRoutingConfiguration
    private let logger: Logger

    private static let auditInterval = Duration.seconds(30)
    private static let retryInterval = Duration.seconds(2)

    /// How long NodeNetworks are waited for: a foreign API server may not have the kind.
    private static let patience = Duration.seconds(5)

    /// Follows informers that run elsewhere.
    public init(
        nodes: Informer<Node>, networks: Informer<NodeNetwork>, configuration: PodRoutingConfiguration, logger: Logger
    ) {
        self.nodes = nodes
        self.networks = networks
        self.configuration = configuration
        self.logger = logger
    }

    /// Routes until the task is cancelled or the service group shuts down.
    public func run() async throws {
        let router = try PodRouter(configuration: configuration, logger: logger)
        do {
            try Forwarding.enable()
        } catch {
            // In a container /proc/sys may be read-only: the rest still works once somebody else turns it on.
            logger.error("forwarding between pods cannot be turned on", metadata: ["error": "\(error)"])
        }
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                group.addTask { await follow(router) }
                group.addTask { await followNetworks(router) }
                group.addTask { await auditRegularly(router) }
                await group.waitForAll()
            }
        }
    }

    private func follow(_ router: PodRouter) async {
        for await event in nodes.events() {
            switch event {
            case .added(let node): await router.update(node.metadata.name ?? "", node)
            case .updated(let old, let new):
                // Heartbeats change nothing that matters here.
                if ClusterNode(old) != ClusterNode(new) { await router.update(new.metadata.name ?? "", new) }
            case .deleted(let node): await router.update(node.metadata.name ?? "", nil)
            case .synced: await router.synced(networks: false)
            }
        }
    }

    private func followNetworks(_ router: PodRouter) async {
        await withTaskGroup { group in
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                await router.synced(nodes: false)
            }
            for await event in networks.events() {
                switch event {
                case .added(let network): await router.update(network.name, network: network)
                case .updated(let old, let new):
                    // How full blocks are changes all the time.
                    if old.spec != new.spec { await router.update(new.name, network: new) }
                case .deleted(let network): await router.update(network.name, network: nil)
                case .synced: await router.synced(nodes: false)
                }
            }
        }
    }

    private func auditRegularly(_ router: PodRouter) async {
        var next = ContinuousClock.now + Self.auditInterval
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.retryInterval)
            let isDue = ContinuousClock.now >= next
            guard await router.needsRetry || isDue else { continue }
            await router.audit()
            if isDue { next = ContinuousClock.now + Self.auditInterval }
        }
    }
}
