import JSON
import KubernetesAPI
import Logging

/// Keeps what every cluster has, for as long as the server runs.
final class ClusterUpkeep: Sendable {
    private static let period = Duration.seconds(10)
    private static let repairPeriod = Duration.seconds(180)

    private let store: Store
    private let bootstrap: Bootstrap
    private let network: ServiceNetwork
    private let logger: Logger

    init(store: Store, bootstrap: Bootstrap, network: ServiceNetwork, logger: Logger) {
        self.store = store
        self.bootstrap = bootstrap
        self.network = network
        self.logger = logger
    }

    /// Runs until the task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.every(Self.period, self.renew) }
            group.addTask { await self.followRanges() }
            let (wakeUps, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
            group.addTask { await self.every(Self.repairPeriod) { wake.yield() } }
            group.addTask { await self.followAddresses(wake) }
            group.addTask { await self.repair(wakeUps) }
        }
    }

    /// Renews what every cluster has, and lets deleted ranges go whose time has come.
    private func renew() async {
        await attempt { try await self.bootstrap.run() }
    }

    /// Tells at once why a deleted ServiceCIDR stays, and makes the server's own again when it is gone.
    private func followRanges() async {
        await follow(.serviceCIDRs) { event in
            if event.kind == .deleted {
                await self.renew()
            } else if event.object.value.isTerminating {
                await self.attempt { try await self.bootstrap.settleRanges() }
            }
        }
    }

    /// Has an address that is taken from a Service given back to it at once.
    private func followAddresses(_ wake: AsyncStream<Void>.Continuation) async {
        guard let services = store.index(of: .services) else { return }
        await follow(.ipAddresses) { event in
            guard event.kind == .deleted, let parent = event.object.value.at("spec", "parentRef"),
                let service = self.store.object(
                    services, ObjectKey(namespace: parent.text("namespace"), name: parent.text("name"))),
                ServiceObject(service.value).clusterIPs.contains(event.object.key.name)
            else { return }
            wake.yield()
        }
    }

    /// Does something for every change of a resource, until the task is cancelled.
    private func follow(_ resource: Resource, _ body: (StoredEvent) async -> Void) async {
        guard let index = store.index(of: resource) else { return }
        while !Task.isCancelled {
            guard let start = store.watch(index, after: nil) else { return }
            var revision = start.revision
            following: for await _ in start.watcher.wakeUps {
                var hasMore = true
                while hasMore {
                    guard let news = store.news(of: start.watcher, after: revision) else { break following }
                    for event in news.events { await body(event) }
                    (revision, hasMore) = (news.revision, news.hasMore)
                }
            }
            store.endWatch(start.watcher)
        }
    }

    private func repair(_ wakeUps: AsyncStream<Void>) async {
        guard let services = store.index(of: .services), let addresses = store.index(of: .ipAddresses) else { return }
        var repair = ServiceRepair(network: network)
        for await _ in wakeUps {
            let (all, named) = (store.snapshot(services).tree, store.snapshot(addresses).tree)
            guard repair.isNeeded(services: all, addresses: named) else { continue }
            await attempt {
                let before = repair
                repair = try await self.store.write { transaction throws(StatusError) in
                    var repair = before
                    try repair.run(&transaction)
                    return repair
                }
            }
        }
    }

    /// Does something now and after each pause, until the task is cancelled.
    private func every(_ pause: Duration, _ body: () async -> Void) async {
        repeat {
            await body()
            try? await Task.sleep(for: pause)
        } while !Task.isCancelled
    }

    private func attempt(_ body: () async throws -> Void) async {
        do {
            try await body()
        } catch {
            logger.warning("upkeep of the cluster will try again", metadata: ["error": "\(error)"])
        }
    }
}
