import Addresses
import AsyncHTTPClient
import KubernetesAPI
import KubernetesClient
import Linux
public import Logging
import NIOCore
import NIOPosix
import NIOSSL
public import ServiceLifecycle

/// One node: registers it, runs the pods bound to it through its container runtime, and serves its API.
public final class PodNode: ServiceLifecycle.Service {
    private let configuration: NodeConfiguration
    private let addresses: [IPAddress]
    private let credentials: ClientConfiguration
    private let logger: Logger

    /// Checks the configuration; nothing is started before ``run()``.
    public init(configuration: NodeConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        addresses = try NodeAddresses.resolve(configuration.nodeAddresses)
        credentials = try ClientConfiguration(kubeconfigPath: configuration.kubeconfigPath)
        try FileSystem.makeDirectory("\(configuration.rootDirectory)/pods", mode: 0o750)
        try FileSystem.makeDirectory(configuration.logDirectory, mode: 0o755)
    }

    /// Runs until the task is cancelled or graceful shutdown begins; pods go on running without the node process.
    public func run() async throws {
        let client = try KubernetesClient(configuration: credentials, userAgent: "duet-node")
        let runtime = try CRIRuntime(endpoint: configuration.criEndpoint)
        let http = Self.probeClient()
        let pods = Informer<Pod>(
            client: client, fieldSelector: "spec.nodeName=\(configuration.nodeName)", logger: logger)
        let services = Informer<KubernetesAPI.Service>(client: client, logger: logger)
        let facts = NodeFacts.read(rootDirectory: configuration.rootDirectory)
        let events = EventRecorder(component: "kubelet", node: configuration.nodeName)
        let networks = NetworkCollector(configuration: configuration, runtime: runtime, logger: logger)
        let context = PodContext(
            configuration: configuration, nodeAddresses: addresses,
            nodeAllocatable: facts.resources(maximumPods: configuration.maximumPods), client: client,
            services: services.store, runtime: runtime, networks: networks, images: ImagePuller(runtime: runtime),
            events: events, tokens: TokenCache(), http: http, logger: logger)
        let manager = PodManager(context: context)
        let server = try NodeServer(
            port: configuration.port, credentials: credentials, manager: manager, context: context)
        let builder = NodeObject(configuration: configuration, addresses: addresses, facts: facts)
        let reporter = NodeReporter(builder: builder, client: client, runtime: runtime, logger: logger)

        let logger = logger
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await Self.keep("runtime connection", logger) { try await runtime.run() } }
                group.addTask { await Self.keep("watch of pods", logger) { try await pods.run() } }
                group.addTask { await Self.keep("watch of services", logger) { try await services.run() } }
                group.addTask { await Self.keep("HTTPS server", logger) { try await server.run() } }
                group.addTask { await events.run(client: client, logger: logger) }
                group.addTask { await reporter.run() }
                group.addTask { await networks.run() }
                group.addTask {
                    // The first pods' environment names the Services and the cluster's resolvers.
                    await services.waitForSync()
                    await manager.run(pods: pods)
                }
                await group.waitForAll()
            }
        }
        runtime.shutdown()
        // A watch's connection is closed in order only when the server answers TLS's farewell, which it does not while it
        // streams: nothing is left to wait for, so the process need not stay for the five seconds until NIO gives up.
        Task {
            try? await http.shutdown()
            await client.shutdown()
        }
    }

    /// Runs a part of the node again whenever it fails, once a second.
    private static func keep(_ part: String, _ logger: Logger, _ body: () async throws -> Void) async {
        while !Task.isCancelled {
            do {
                try await body()
            } catch is CancellationError {
                return
            } catch {
                logger.error("\(part): \(error)")
            }
            try? await Task.sleep(for: .seconds(1))
        }
    }

    private static func probeClient() -> HTTPClient {
        var configuration = HTTPClient.Configuration(certificateVerification: .none)
        configuration.redirectConfiguration = .follow(max: 10, allowCycles: false)
        // A probe that finds nobody listening must say so at once, not try again until its time is over.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.connectionPool.idleTimeout = .seconds(1)
        return HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: configuration)
    }
}
