import KubernetesAPI
import KubernetesClient
public import Logging
import PodRouting
public import ServiceLifecycle

/// The network of one node: pod routes, Services and names, fed by one watch of each resource.
public struct NodeNetworkAgent: ServiceLifecycle.Service {
    private let client: KubernetesClient
    private let services: [any ServiceLifecycle.Service]
    private let logger: Logger

    /// Composes the services of a node; throws when the kubeconfig cannot be used.
    public init(configuration: AgentConfiguration, logger: Logger) throws {
        client = try KubernetesClient(
            configuration: ClientConfiguration(kubeconfigPath: configuration.kubeconfigPath), userAgent: "duet-agent")
        let nodes = Informer<Node>(client: client, logger: logger)
        services = [
            nodes,
            PodRoutingService(
                nodes: nodes,
                configuration: PodRoutingConfiguration(
                    nodeName: configuration.nodeName, cniConfDir: configuration.cniConfDir,
                    cniBinDir: configuration.cniBinDir),
                logger: logger),
        ]
        self.logger = logger
    }

    /// Runs until the task is cancelled or the service group shuts down; the kernel keeps what it was told.
    public func run() async throws {
        do {
            try await ServiceGroup(services: services, logger: logger).run()
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }
}
