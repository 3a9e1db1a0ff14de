public import KubernetesClient
public import Logging
public import ServiceLifecycle

/// Publishes the pods that Services reach by translation, beside the controllers of another control plane.
///
/// One copy is enough, and two do no harm: what both publish counts once, and is published once again soon.
public struct TranslatedEndpoints: ServiceLifecycle.Service {
    private let context: ControllerContext

    /// Creates the controller.
    ///
    /// - Parameter includesAll: whether for all Services but those that refuse it.
    public init(client: KubernetesClient, includesAll: Bool, logger: Logger) {
        context = ControllerContext(
            client: client,
            configuration: ControllerConfiguration(
                clusterCIDRs: [], serviceClusterIPRanges: [], translatesAllServices: includesAll),
            informers: SharedInformers(client: client, logger: logger),
            events: EventRecorder(client: client, component: "duet-controllers", logger: logger), logger: logger)
    }

    /// Runs until the task is cancelled or the service group shuts down.
    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let informers = context.informers
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await informers.namespaces.run() }
                group.addTask { try await informers.nodes.run() }
                group.addTask { try await informers.pods.run() }
                group.addTask { try await informers.services.run() }
                group.addTask { try await informers.endpointSlices.run() }
                await informers.namespaces.waitForSync()
                await informers.nodes.waitForSync()
                await informers.pods.waitForSync()
                await informers.services.waitForSync()
                await informers.endpointSlices.waitForSync()
                guard !Task.isCancelled else { return }
                await EndpointSliceController(context: context, purpose: .translation).run()
                try await group.waitForAll()
            }
        }
    }
}
