public import KubernetesClient
public import Logging
public import ServiceLifecycle

/// Runs every controller of the cluster over one set of caches.
public struct ControllerManager: ServiceLifecycle.Service {
    private let context: ControllerContext

    /// Creates the controllers; throws when the configuration contradicts itself.
    public init(client: KubernetesClient, configuration: ControllerConfiguration, logger: Logger) throws {
        try configuration.validate()
        context = ControllerContext(
            client: client, configuration: configuration, informers: SharedInformers(client: client, logger: logger),
            events: EventRecorder(client: client, component: "duet-controllers", logger: logger), logger: logger)
    }

    /// Runs the controllers until the task is cancelled or the service group shuts down.
    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                context.informers.start(in: &group)
                group.addTask { await context.events.run() }
                await context.informers.waitForSync()
                guard !Task.isCancelled else { return }
                for controller in try controllers() {
                    group.addTask { try await controller.run() }
                }
                try await group.waitForAll()
            }
        }
    }

    private func controllers() throws -> [any Controller] {
        let pods = PodView(store: context.informers.pods.store)
        return [
            try NodeBlockController(context: context),
            NodeHealthController(context: context),
            SchedulerController(context: context),
            ReplicaSetController(context: context, pods: pods),
            DeploymentController(context: context),
            DaemonSetController(context: context, pods: pods),
            EndpointSliceController(context: context),
            EndpointSliceController(context: context, purpose: .translation),
            EndpointsController(context: context),
            EndpointMirrorController(context: context),
            NamespaceContentController(context: context),
            NamespaceDeletionController(context: context),
            ClusterDNSServiceController(context: context),
            PodGarbageController(context: context),
            OwnerGarbageController(context: context),
            RoleAggregationController(context: context),
        ]
    }
}

/// One control loop.
protocol Controller: Sendable {
    /// Runs until the task is cancelled.
    func run() async throws
}

/// What all controllers share.
struct ControllerContext: Sendable {
    let client: KubernetesClient
    let configuration: ControllerConfiguration
    let informers: SharedInformers
    let events: EventRecorder
    let logger: Logger

    /// Works on the keys of a queue and logs what fails.
    func work<Key: CustomStringConvertible>(
        on queue: WorkQueue<Key>, name: String, workers: Int = 1, _ body: @escaping @Sendable (Key) async throws -> Void
    ) async {
        await queue.run(
            workers: workers,
            onError: { key, error in
                // One failure in passing is everyday life: a conflict, an object that went away meanwhile.
                let level: Logger.Level = queue.failures(of: key) < 3 ? .debug : .warning
                logger.log(level: level, "\(name) will try again", metadata: ["key": "\(key)", "error": "\(error)"])
            }, work: body)
    }
}
