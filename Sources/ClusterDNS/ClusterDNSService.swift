import Addresses
import Glibc
public import KubernetesAPI
public import KubernetesClient
import Linux
public import Logging
public import ServiceLifecycle
import Synchronization

/// Answers DNS queries on a node, on the cluster addresses of the DNS Service, from the node's own watch cache.
///
/// When it ends the addresses stay on the link, and the next process answers on them at once.
public final class ClusterDNSService: ServiceLifecycle.Service {
    private let services: Informer<KubernetesAPI.Service>
    private let endpointSlices: Informer<EndpointSlice>
    private let configuration: ClusterDNSConfiguration
    private let logger: Logger
    private let content: Mutex<Content>
    private let state: DNSServerState

    private struct Content {
        var model: ClusterZoneModel
        var hasServices = false
        var hasSlices = false
        /// The addresses that are on the link because of the DNS Service.
        var addresses: Set<IPAddress> = []
    }

    /// How long changes are gathered before they are published.
    private static let coalescing = Duration.milliseconds(2)

    /// Makes the service; the informers are run by whoever made them.
    public init(
        services: Informer<KubernetesAPI.Service>, endpointSlices: Informer<EndpointSlice>,
        configuration: ClusterDNSConfiguration, logger: Logger
    ) throws {
        guard let zone = ClusterZone(domain: configuration.domain, ttl: configuration.ttl) else {
            preconditionFailure("the configuration has checked the domain")
        }
        self.services = services
        self.endpointSlices = endpointSlices
        self.configuration = configuration
        self.logger = logger
        content = Mutex(Content(model: ClusterZoneModel(zone: zone, serverKey: configuration.service)))
        state = try DNSServerState(zone: zone)
    }

    /// Answers until the task is cancelled or the process shuts down.
    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let (changes, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.serve() }
                group.addTask { await self.followServices(signal) }
                group.addTask { await self.followSlices(signal) }
                group.addTask { await self.publish(changes, signal) }
                try await group.next()
                group.cancelAll()
            }
        }
    }

    /// Runs the server on a thread of its own.
    private func serve() async throws {
        let (state, configuration, logger) = (state, configuration, logger)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (end: CheckedContinuation<Void, any Error>) in
                do throws(SystemError) {
                    try OSThread.detach(name: "cluster-dns") {
                        end.resume(
                            with: Result {
                                try DNSServer(state: state, configuration: configuration, logger: logger).run()
                            })
                    }
                } catch {
                    end.resume(throwing: error)
                }
            }
        } onCancel: {
            state.stop()
        }
    }

    private func followServices(_ signal: AsyncStream<Void>.Continuation) async {
        for await event in services.events() {
            content.withLock { content in
                switch event {
                case .added(let service), .updated(_, let service):
                    content.model.setService(service.key, service)
                case .deleted(let service): content.model.setService(service.key, nil)
                case .synced: content.hasServices = true
                }
            }
            signal.yield()
        }
    }

    private func followSlices(_ signal: AsyncStream<Void>.Continuation) async {
        for await event in endpointSlices.events() {
            content.withLock { content in
                switch event {
                case .added(let slice): content.model.setSlice(old: nil, new: slice)
                case .updated(let old, let new): content.model.setSlice(old: old, new: new)
                case .deleted(let slice): content.model.setSlice(old: slice, new: nil)
                case .synced: content.hasSlices = true
                }
            }
            signal.yield()
        }
    }

    /// Publishes what has changed, and moves the server to the addresses of its Service.
    private func publish(_ changes: AsyncStream<Void>, _ signal: AsyncStream<Void>.Continuation) async {
        for await _ in changes {
            try? await Task.sleep(for: Self.coalescing)
            let (zone, wanted, former) = content.withLock { content in
                let isComplete = content.hasServices && content.hasSlices
                let isChanged = content.model.update(isComplete: isComplete, now: UInt32(truncatingIfNeeded: time(nil)))
                let wanted = Set(content.model.server?.clusterAddresses ?? [])
                return (isChanged ? content.model.zone : nil, wanted, content.addresses)
            }
            if let zone { state.publish(zone) }
            if wanted != former, !move(to: wanted, from: former) {
                try? await Task.sleep(for: .seconds(1))
                signal.yield()
            }
        }
    }

    /// Puts the addresses on the link and answers there; false if the link has not taken all of them.
    private func move(to wanted: Set<IPAddress>, from former: Set<IPAddress>) -> Bool {
        state.setAddresses(wanted)
        if let link = configuration.link {
            do {
                try LinkAddresses.apply(wanted, former: former, link: link)
            } catch {
                logger.error("the DNS addresses are not all on the node", metadata: ["error": "\(error)"])
                return false
            }
        }
        content.withLock { $0.addresses = wanted }
        return true
    }
}
