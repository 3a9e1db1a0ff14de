import Addresses
import ClusterNames
import DNSResolution
import DNSServing
import Glibc
import KubernetesAPI
import KubernetesClient
import Linux
public import Logging
import NFTables
public import ServiceLifecycle
import Synchronization

/// Answers DNS queries on a node, on the cluster addresses of the DNS Service, from the node's own watch cache.
///
/// When it ends the addresses stay on the link, and the next process answers on them at once; until then the kernel leads
/// queries to the servers of other nodes.
public final class ClusterDNSService: ServiceLifecycle.Service {
    private let informers: ClusterDNSInformers
    private let configuration: ClusterDNSConfiguration
    private let logger: Logger
    private let content: Mutex<ClusterDNSContent>
    private let state: DNSServerState
    /// The rules for queries without a server; nil until the first are made, and after a failure.
    private let failover = Mutex<FailoverReconciler<NFTablesSocket>?>(nil)

    /// How long changes are gathered before they are published.
    private static let coalescing = Duration.milliseconds(2)
    /// How often the file that names other servers is looked at.
    private static let fileInterval = Duration.seconds(5)
    /// How often the rules for queries without a server are looked at.
    private static let auditInterval = Duration.seconds(5)

    /// Makes the service; the informers are run by whoever made them.
    public init(informers: ClusterDNSInformers, configuration: ClusterDNSConfiguration, logger: Logger) throws {
        self.informers = informers
        self.logger = logger
        var configuration = configuration
        configuration.server.sendsHeartbeats = configuration.hasFailover && configuration.nodeName != nil
        self.configuration = configuration
        let content = ClusterDNSContent(configuration, hasPods: informers.pods != nil)
        state = try DNSServerState(snapshot: content.model.zone)
        self.content = Mutex(content)
    }

    /// Answers until the task is cancelled, or for the configured time after the process has been told to end.
    public func run() async throws {
        let handover = try configuration.handoverPath.map { try SocketHandover(from: $0, into: state) }
        if let handover, handover.count > 0 {
            logger.info("took sockets over", metadata: ["count": "\(handover.count)"])
        }
        let (changes, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.serve() }
            for follow in followers(signal) { group.addTask(operation: follow) }
            group.addTask { await self.publish(changes, signal) }
            if configuration.server.sendsHeartbeats { group.addTask { await self.keepFailover(signal) } }
            group.addTask { await self.followServers() }
            try handover?.start()
            if let port = configuration.metricsPort {
                try MetricsListener.start(state, port: port)
            }
            group.addTask { await self.waitForEnd() }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Returns when the service has to end.
    private func waitForEnd() async {
        try? await gracefulShutdown()
        guard !Task.isCancelled, configuration.lameduckSeconds > 0 else { return }
        state.drain()
        logger.info("answering a little longer", metadata: ["seconds": "\(configuration.lameduckSeconds)"])
        try? await Task.sleep(for: .seconds(configuration.lameduckSeconds))
    }

    /// Runs the server on a thread of its own.
    private func serve() async throws {
        let (state, configuration, logger) = (state, configuration.server, logger)
        let secure = try SecureUpstreams()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (end: CheckedContinuation<Void, any Error>) in
                do throws(SystemError) {
                    try OSThread.detach(name: "cluster-dns") {
                        end.resume(
                            with: Result {
                                try DNSServer(state: state, configuration: configuration, secure: secure) {
                                    logger.info("\($0)")
                                }.run()
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

    // MARK: Objects

    private func followers(_ signal: AsyncStream<Void>.Continuation) -> [@Sendable () async -> Void] {
        var followers: [@Sendable () async -> Void] = [
            { await self.follow(self.informers.services(), .services, signal) { $0.model.setService($2.key, $1) } },
            {
                await self.follow(self.informers.namespaces.events(), .namespaces, signal) {
                    $0.model.setNamespace($2.name, exists: $1 != nil)
                }
            },
            { await self.follow(self.informers.nodes.events(), .nodes, signal) { $0.setNode($2.name, $1) } },
            { await self.follow(self.informers.networks.events(), .networks, signal) { $0.setNetwork($2.name, $1) } },
            { await self.followSlices(signal) },
        ]
        if let pods = informers.pods { followers.append { await self.followPods(pods, signal) } }
        return followers
    }

    /// Notes every change of a resource; `note` is given the content, the object (nil once it is gone) and its last state.
    private func follow<T>(
        _ events: AsyncStream<InformerEvent<T>>, _ source: ClusterDNSContent.Source,
        _ signal: AsyncStream<Void>.Continuation,
        _ note: @Sendable (inout ClusterDNSContent, T?, T) -> Void
    ) async {
        for await event in events {
            content.withLock { content in
                switch event {
                case .added(let object), .updated(_, let object): note(&content, object, object)
                case .deleted(let object): note(&content, nil, object)
                case .synced: content.synced(source)
                }
            }
            signal.yield()
        }
    }

    private func followSlices(_ signal: AsyncStream<Void>.Continuation) async {
        for await event in informers.endpointSlices() {
            content.withLock { content in
                switch event {
                case .added(let slice): content.model.setSlice(old: nil, new: slice)
                case .updated(let old, let new): content.model.setSlice(old: old, new: new)
                case .deleted(let slice): content.model.setSlice(old: slice, new: nil)
                case .synced: content.synced(.endpointSlices)
                }
            }
            signal.yield()
        }
    }

    private func followPods(_ pods: Informer<Pod>, _ signal: AsyncStream<Void>.Continuation) async {
        for await event in pods.events() {
            content.withLock { content in
                switch event {
                case .added(let pod): content.model.setPod(old: nil, new: pod)
                case .updated(let old, let new): content.model.setPod(old: old, new: new)
                case .deleted(let pod): content.model.setPod(old: pod, new: nil)
                case .synced: content.synced(.pods)
                }
            }
            signal.yield()
        }
    }

    /// Publishes what has changed, and moves the server to the addresses of its Service.
    private func publish(_ changes: AsyncStream<Void>, _ signal: AsyncStream<Void>.Continuation) async {
        signal.yield()
        for await _ in changes {
            try? await Task.sleep(for: Self.coalescing)
            let (zone, wanted, former) = content.withLock { content in
                let update = content.update(
                    now: UInt32(truncatingIfNeeded: time(nil)), local: configuration.localAddresses)
                return (update.zone, update.place, content.place)
            }
            if let zone { state.publish(zone) }
            if wanted != former, !move(to: wanted, from: former) {
                try? await Task.sleep(for: .seconds(1))
                signal.yield()
            }
        }
    }

    /// Puts the addresses on the link and answers there; false if the kernel has not taken all of it.
    private func move(to wanted: ClusterDNSContent.Place, from former: ClusterDNSContent.Place) -> Bool {
        state.setAddresses(wanted.addresses, forPeers: wanted.forPeers)
        guard applyFailover(wanted.failover) else { return false }
        if let link = configuration.link {
            do {
                try LinkAddresses.apply(
                    wanted.addresses.filter { !$0.isLoopback }, former: former.addresses, link: link)
            } catch {
                logger.error("the DNS addresses are not all on the node", metadata: ["error": "\(error)"])
                return false
            }
        }
        content.withLock { $0.place = wanted }
        return true
    }

    /// Makes the kernel's rules follow a plan; false if they do not.
    private func applyFailover(_ plan: FailoverPlan?) -> Bool {
        guard let plan else { return true }
        do {
            try failover.withLock { failover in
                var reconciler = try failover.take() ?? FailoverReconciler(NFTablesSocket())
                try reconciler.apply(plan)
                failover = consume reconciler
            }
            return true
        } catch {
            logger.error(
                "other nodes do not stand in for this one's DNS server as they should", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Puts the rules right where somebody else has changed them.
    private func keepFailover(_ signal: AsyncStream<Void>.Continuation) async {
        repeat {
            try? await Task.sleep(for: Self.auditInterval)
            if !applyFailover(content.withLock { $0.place.failover }) { signal.yield() }
        } while !Task.isCancelled
    }

    // MARK: Other servers

    /// Follows the file that names the servers for all names outside the cluster.
    private func followServers() async {
        var last: [ForwardRule]?
        repeat {
            let servers =
                configuration.upstreams
                ?? ResolverConfiguration.hostNameservers(path: configuration.resolvConf).map { Upstream($0) }
            let rules = [ForwardRule(upstreams: servers)] + configuration.stubs
            if rules != last {
                last = rules
                state.setRules(rules)
                let list = rules.flatMap(\.upstreams).map(\.description).joined(separator: ", ")
                logger.info("asking other servers", metadata: ["servers": "\(list)"])
            }
            try? await Task.sleep(for: Self.fileInterval)
        } while !Task.isCancelled
    }
}
