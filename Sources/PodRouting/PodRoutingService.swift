internal import Addresses
internal import JSON
public import KubernetesAPI
public import KubernetesClient
public import Logging
internal import RouteNetlink
public import ServiceLifecycle

/// The routes between the nodes' pods, the pods' way out of the cluster, and the runtime's CNI configuration.
///
/// Nothing is removed at the end: pods keep their connections while the service is away.
public struct PodRoutingService: ServiceLifecycle.Service {
    private let nodes: Informer<Node>
    private let networks: Informer<NodeNetwork>
    private let client: KubernetesClient
    private let configuration: PodRoutingConfiguration
    private let logger: Logger

    /// The least time between two looks at what changed in the kernel.
    private static let calm = Duration.milliseconds(100)
    private static let auditInterval = Duration.seconds(30)
    private static let retryInterval = Duration.seconds(2)
    private static let masqueradeInterval = Duration.milliseconds(900)

    /// How long NodeNetworks are waited for: a foreign API server may not have the kind.
    private static let patience = Duration.seconds(5)

    /// Follows informers that run elsewhere.
    ///
    /// - Parameter client: by which the node's key is published, where it has one.
    public init(
        nodes: Informer<Node>, networks: Informer<NodeNetwork>, client: KubernetesClient,
        configuration: PodRoutingConfiguration, logger: Logger
    ) {
        self.nodes = nodes
        self.networks = networks
        self.client = client
        self.configuration = configuration
        self.logger = logger
    }

    /// Routes until the task is cancelled or the service group shuts down.
    public func run() async throws {
        let watch = try KernelWatch()
        let router = try PodRouter(configuration: configuration, logger: logger)
        let speaker = configuration.bgp.map { BGPSpeaker(configuration: $0, logger: logger) }
        do {
            try Forwarding.enable()
        } catch {
            // In a container /proc/sys may be read-only: the rest still works once somebody else turns it on.
            logger.error("forwarding between pods cannot be turned on", metadata: ["error": "\(error)"])
        }
        await cancelWhenGracefulShutdown {
            await withTaskGroup { group in
                group.addTask { await follow(router, speaker) }
                group.addTask { await followNetworks(router, speaker) }
                group.addTask { await repair(router, watch) }
                group.addTask { await auditRegularly(router, speaker) }
                group.addTask { await keepMasquerading(router) }
                if let speaker { group.addTask { await speaker.run() } }
                await group.waitForAll()
            }
        }
    }

    private func follow(_ router: PodRouter, _ speaker: BGPSpeaker?) async {
        func update(_ name: String, _ node: Node?) async {
            await router.update(name, node)
            if name == configuration.nodeName { speaker?.update(await router.own) }
        }
        for await event in nodes.events() {
            switch event {
            case .added(let node): await update(node.metadata.name ?? "", node)
            case .updated(let old, let new):
                // Heartbeats change nothing that matters here.
                if ClusterNode(old) != ClusterNode(new) { await update(new.metadata.name ?? "", new) }
            case .deleted(let node): await update(node.metadata.name ?? "", nil)
            case .synced: await router.synced(networks: false)
            }
        }
    }

    private func followNetworks(_ router: PodRouter, _ speaker: BGPSpeaker?) async {
        func update(_ name: String, _ network: NodeNetwork?) async {
            await router.update(name, network: network)
            if name == configuration.nodeName { speaker?.update(await router.own) }
        }
        await withTaskGroup { group in
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                await router.synced(nodes: false)
            }
            for await event in networks.events() {
                switch event {
                case .added(let network): await update(network.name, network)
                case .updated(let old, let new):
                    // How full blocks are changes all the time.
                    guard old.spec != new.spec || old.status?.wireGuardPublicKey != new.status?.wireGuardPublicKey
                    else { continue }
                    await update(new.name, new)
                case .deleted(let network): await update(network.name, nil)
                case .synced: await router.synced(nodes: false)
                }
            }
        }
    }

    /// Lets other nodes know the key of the node's WireGuard link.
    private func publishKey(of router: PodRouter) async {
        // The controller of blocks makes the object.
        guard let key = await router.wireGuardKey?.base64,
            let present = networks.store.get(nil, configuration.nodeName), present.status?.wireGuardPublicKey != key
        else { return }
        do {
            try await client.patch(
                NodeNetwork.self, namespace: nil, name: configuration.nodeName, subresource: "status",
                patch: ["status": ["wireGuardPublicKey": .string(key)]])
            logger.info("other nodes are told the WireGuard key", metadata: ["key": "\(key)"])
        } catch {
            logger.error(
                "other nodes cannot be told the WireGuard key, and cannot reach this one",
                metadata: ["error": "\(error)"])
        }
    }

    private func repair(_ router: PodRouter, _ watch: KernelWatch) async {
        for await _ in watch.signals() {
            let changes = watch.take()
            for change in changes ?? [] where change.isRemoval {
                if case .address(let entry) = change.object {
                    client.abandonConnections(from: entry.address.address)
                }
            }
            if changes?.contains(where: \.stopsForwarding) ?? true { keepForwarding() }
            // What happens during the pause is looked at together.
            if await router.changed(changes) { try? await Task.sleep(for: Self.calm) }
        }
    }

    private func keepForwarding() {
        do {
            guard try Forwarding.keep() else { return }
            logger.warning("forwarding between pods had been turned off, and is on again")
        } catch {
            logger.error(
                "forwarding between pods has been turned off, and cannot be turned on", metadata: ["error": "\(error)"])
        }
    }

    /// Asks for the number of the kernel's rule set, which is cheaper than to hear of each of the changes to it that Services make.
    private func keepMasquerading(_ router: PodRouter) async {
        while (try? await Task.sleep(for: Self.masqueradeInterval)) != nil { await router.keepMasquerading() }
    }

    private func auditRegularly(_ router: PodRouter, _ speaker: BGPSpeaker?) async {
        var next = ContinuousClock.now + Self.auditInterval
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.retryInterval)
            speaker?.update(await router.own)
            await publishKey(of: router)
            let isDue = ContinuousClock.now >= next
            guard await router.needsRetry || isDue else { continue }
            await router.audit()
            if isDue { next = ContinuousClock.now + Self.auditInterval }
        }
    }
}
