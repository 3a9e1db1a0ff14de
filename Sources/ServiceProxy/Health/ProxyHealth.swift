package import Addresses
internal import JSON
internal import KubernetesAPI
internal import Synchronization

/// Whether the proxy keeps up with the cluster, and whether the node should get connections from outside.
///
/// Shared between the engine, which writes it, and the servers that answer from it.
package final class ProxyHealth: Sendable {
    private struct Family {
        var lastUpdated = Timestamp.now
        /// Since when a change waits to be applied; nil when none does.
        var waitingSince: ContinuousClock.Instant?
    }

    private struct State {
        var families: [IPFamily: Family] = [:]
        var isNodeEligible = true
    }

    private let state = Mutex(State())

    package init() {}

    /// How long a change may wait before the proxy counts as unhealthy: twice the time between its comparisons of all.
    static let patience = Duration.seconds(120)

    /// A change came that is not applied yet.
    package func noteChange(_ family: IPFamily) {
        state.withLock { state in
            if state.families[family, default: Family()].waitingSince == nil {
                state.families[family]?.waitingSince = .now
            }
        }
    }

    /// All changes are applied.
    package func noteApplied(_ family: IPFamily) {
        state.withLock { $0.families[family] = Family() }
    }

    /// Whether the node goes away soon: nothing new should be sent to it.
    package func noteNode(isEligible: Bool) {
        state.withLock { $0.isNodeEligible = isEligible }
    }

    /// Whether every family keeps up.
    var isHealthy: Bool {
        state.withLock { state in state.families.values.allSatisfy { Self.isHealthy($0) } }
    }

    private static func isHealthy(_ family: Family) -> Bool {
        family.waitingSince.map { $0.duration(to: .now) < patience } ?? true
    }

    /// The answer of `/livez`, or of `/healthz` when the node counts too.
    func answer(countsNode: Bool) -> HealthAnswer {
        let state = state.withLock { $0 }
        let isLive = state.families.values.allSatisfy { Self.isHealthy($0) }
        let isHealthy = isLive && (state.isNodeEligible || !countsNode)
        let lastUpdated = state.families.values.map(\.lastUpdated).min() ?? .now
        var body: JSONObject = [
            "lastUpdated": .string("\(lastUpdated)"), "currentTime": .string("\(Timestamp.now)"),
            "healthy": .bool(isHealthy),
        ]
        if countsNode { body["nodeEligible"] = .bool(state.isNodeEligible) }
        var status: JSONObject = [:]
        for (family, health) in state.families.sorted(by: { $0.key.name < $1.key.name }) {
            status[family.name] = .object([
                "lastUpdated": .string("\(health.lastUpdated)"), "healthy": .bool(Self.isHealthy(health)),
            ])
        }
        body["status"] = .object(status)
        return HealthAnswer(isHealthy: isHealthy, body: .object(body))
    }
}
