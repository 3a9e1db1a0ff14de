package import Addresses
internal import JSON
package import KubernetesAPI
internal import Synchronization
internal import Translation
internal import TranslationEngine

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
        /// How calls are led while they are made; nil when nobody wants it.
        var connectTime: ConnectTimeBalancer.State?
        /// What translates between the families; nil when nothing does.
        var translator: TranslationEngine<StatelessTranslator>?
    }

    private let state = Mutex(State())
    /// What is told of other parts of the node's network.
    private let moreMetrics: @Sendable () -> String

    package init(moreMetrics: @escaping @Sendable () -> String = { "" }) { self.moreMetrics = moreMetrics }

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

    /// The node as it is now, nil when it is gone: nothing new should be sent to one that goes away soon.
    package func note(_ node: Node?) {
        state.withLock { $0.isNodeEligible = node?.isLeaving == false }
    }

    /// Calls are led while they are made, or not, for a reason; nil when nobody wants it.
    package func note(connectTime: ConnectTimeBalancer.State?) {
        state.withLock { $0.connectTime = connectTime }
    }

    /// Services are translated between the families by an engine; nil when none are.
    func note(translator: TranslationEngine<StatelessTranslator>?) {
        state.withLock { $0.translator = translator }
    }

    /// What a monitor asks for, in Prometheus' text format.
    var metrics: String {
        let engine = state.withLock { $0.translator }
        return connectTimeMetrics + moreMetrics()
            + (engine.map { engine in
                TranslationMetrics.text(
                    of: engine.counters, writeFailures: engine.writeFailures, prefix: "duet_proxy_translation")
            } ?? "")
    }

    private var connectTimeMetrics: String {
        guard let connectTime = state.withLock({ $0.connectTime }) else { return "" }
        return """
            # HELP duet_proxy_connect_time_active Whether calls of Services are led at connect time.
            # TYPE duet_proxy_connect_time_active gauge
            duet_proxy_connect_time_active\(connectTime.labels) \(connectTime == .active ? 1 : 0)

            """
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
        if let connectTime = state.connectTime {
            body["connectTime"] = .object([
                "active": .bool(connectTime == .active), "reason": .string(connectTime.reason),
            ])
        }
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

extension Node {
    /// Whether it is deleted, or its autoscaler says that it soon will be.
    fileprivate var isLeaving: Bool {
        isBeingDeleted || spec?.taints?.contains { $0.key == "ToBeDeletedByClusterAutoscaler" } == true
    }
}

extension ConnectTimeBalancer.State {
    /// Why calls are not led; empty when they are.
    fileprivate var reason: String {
        switch self {
        case .waiting: "the Services are not complete yet"
        case .active: ""
        case .unavailable(let reason): reason
        }
    }

    /// The reason as the label of a figure; without one there is no label.
    fileprivate var labels: String {
        guard self != .active else { return "" }
        let escaped = reason.flatMap { character in
            switch character {
            case "\\": "\\\\"
            case "\"": "\\\""
            case "\n": "\\n"
            default: String(character)
            }
        }
        return "{reason=\"\(String(escaped))\"}"
    }
}
