package import KubernetesAPI

/// Endpoints shared out among zones in proportion to the zones' processors (KEP-2433, `topology-mode: Auto`).
package struct TopologyHints: Sendable {
    /// On a Service: `Auto` asks for such hints.
    package static let annotation = "service.kubernetes.io/topology-mode"
    /// The older name, which goes first.
    package static let olderAnnotation = "service.kubernetes.io/topology-aware-hints"
    /// How much more than its share a zone may have to serve.
    private static let overload = 0.2
    private static let controlPlaneLabels = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"]

    /// Each zone's share of the processors; empty when some node does not tell its zone or processors.
    package let shares: [String: Double]

    /// Why endpoints have no hints.
    package struct Refusal: Error, Sendable, Hashable {
        /// A sentence for people.
        package let message: String
    }

    /// Reads the shares off the ready nodes that pods run on.
    package init(nodes: some Sequence<Node>) {
        var sums: [String: Double] = [:]
        var isComplete = true
        for node in nodes where node.isReady {
            let labels = node.metadata.labels ?? [:]
            if Self.controlPlaneLabels.contains(where: { labels[$0] != nil }) { continue }
            let processors = node.status?.allocatable?["cpu"]?.milliValue ?? 0
            guard let zone = labels[WellKnownLabel.zone], !zone.isEmpty, processors > 0 else {
                isComplete = false
                continue
            }
            sums[zone, default: 0] += Double(processors)
        }
        let total = sums.values.reduce(0, +)
        shares = isComplete ? sums.mapValues { $0 / total } : [:]
    }

    /// Whether a Service asks for such hints.
    package static func areWanted(by service: KubernetesAPI.Service) -> Bool {
        let annotations = service.metadata.annotations ?? [:]
        return ["Auto", "auto"].contains(annotations[olderAnnotation] ?? annotations[annotation] ?? "")
    }

    /// The zone that each ready endpoint of one family is for: its own, or one that has too few.
    package func zones(for endpoints: [Endpoint]) -> Result<[String], Refusal> {
        Result { () throws(Refusal) in try assign(endpoints) }
    }

    private func assign(_ endpoints: [Endpoint]) throws(Refusal) -> [String] {
        let wanted = try targets(count: endpoints.count)
        var zones: [String] = []
        for endpoint in endpoints {
            guard let zone = endpoint.zone, !zone.isEmpty else {
                throw Refusal(message: "One or more endpoints do not have a zone specified")
            }
            zones.append(zone)
        }
        if zones.isEmpty { throw Refusal(message: "No hints allocated for zones") }
        var balance = wanted
        for zone in zones { balance[zone, default: 0] -= 1 }
        // From the zone that has most beyond its share to the one that lacks most, while that helps.
        while let giving = balance.min(by: { ($0.value, $0.key) < ($1.value, $1.key) }),
            let receiving = balance.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }),
            giving.value < 0, receiving.value > 0, receiving.value - giving.value >= 1,
            let index = zones.lastIndex(of: giving.key)
        {
            zones[index] = receiving.key
            balance[giving.key] = giving.value + 1
            balance[receiving.key] = receiving.value - 1
        }
        return zones
    }

    /// How many endpoints each zone should have.
    private func targets(count: Int) throws(Refusal) -> [String: Double] {
        if shares.isEmpty {
            throw Refusal(
                message:
                    "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes")
        }
        if shares.count < 2 { throw Refusal(message: "Nodes only ready in one zone") }
        let numbers = "(\(count) endpoints, \(shares.count) zones)"
        if shares.count > count { throw Refusal(message: "Insufficient number of endpoints \(numbers)") }
        var remaining = count
        var targets: [String: Double] = [:]
        for (zone, share) in shares {
            let desired = share * Double(count)
            let least = (desired / (1 + Self.overload)).rounded(.up)
            remaining -= Int(least)
            targets[zone] = max(desired, least)
        }
        if remaining < 0 {
            throw Refusal(
                message:
                    "Unable to allocate minimum required endpoints to each zone without exceeding overload threshold \(numbers)"
            )
        }
        return targets
    }
}
