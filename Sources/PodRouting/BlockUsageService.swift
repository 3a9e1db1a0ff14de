internal import JSON
public import KubernetesAPI
public import KubernetesClient
public import Logging
public import ServiceLifecycle

/// Tells the API how full the blocks of a node are, so that it gets further ones in time and gives back empty ones.
public struct BlockUsageService: ServiceLifecycle.Service {
    private let client: KubernetesClient
    private let networks: Informer<NodeNetwork>
    private let nodeName: String
    private let usage: BlockUsage
    private let logger: Logger

    private static let interval = Duration.seconds(1)
    /// Changes that nobody waits for are told together.
    private static let patience = Duration.seconds(15)

    /// Follows the node's NodeNetwork in an informer that runs elsewhere.
    ///
    /// - Parameter dataDirectory: Where the CNI plugins keep the addresses in use.
    public init(
        client: KubernetesClient, networks: Informer<NodeNetwork>, configuration: PodRoutingConfiguration,
        dataDirectory: String = "/var/lib/cni/networks", logger: Logger
    ) {
        self.client = client
        self.networks = networks
        self.nodeName = configuration.nodeName
        usage = BlockUsage(
            dataDirectory: dataDirectory, network: CNIConfiguration.networkName,
            configuration: "\(configuration.cniConfDir)/\(CNIConfiguration.fileName)")
        self.logger = logger
    }

    /// Reports until the task is cancelled or the service group shuts down.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var lastReport = ContinuousClock.now - Self.patience
            while !Task.isCancelled {
                do {
                    if try await report(isDue: ContinuousClock.now - lastReport >= Self.patience) {
                        lastReport = .now
                    }
                } catch {
                    logger.debug("the use of addresses cannot be reported", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    /// Writes a report when there is something to say; returns whether it did.
    private func report(isDue: Bool) async throws -> Bool {
        guard let network = networks.store.get(nil, nodeName), let blocks = network.spec?.blocks else { return false }
        let old = network.status?.blocks ?? []
        let new = try usage.reports(on: blocks, now: Int(Timestamp.now.seconds))
        guard NodeBlockUsage.isUrgent(old, new) || (isDue && old != new) else { return false }
        try await client.patch(
            NodeNetwork.self, namespace: nil, name: nodeName, subresource: "status",
            patch: ["status": ["blocks": try JSONValueEncoder().encode(new)]])
        return true
    }
}

extension NodeBlockUsage {
    /// Whether a block may have to come or go because of the difference between two reports: other blocks or states, the first
    /// or the last address of a block, or an eighth of a block more or less.
    package static func isUrgent(_ old: [NodeBlockUsage], _ new: [NodeBlockUsage]) -> Bool {
        old.map(\.urgency) != new.map(\.urgency)
    }

    private struct Urgency: Equatable {
        let cidr: String
        let state: String?
        let isEmpty: Bool
        let eighths: Int
    }

    private var urgency: Urgency {
        let part = max(1, capacity / 8)
        return Urgency(cidr: cidr, state: state, isEmpty: used == 0, eighths: used / part)
    }
}
