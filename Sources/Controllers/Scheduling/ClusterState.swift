package import KubernetesAPI

/// The nodes and what their pods use, kept up to date change by change.
package struct ClusterState: Sendable {
    /// What a pod takes from a node.
    struct Demand: Sendable, Hashable {
        var milliCPU: Int64 = 0
        var memory: Int64 = 0
        var other: [String: Int64] = [:]
        var hostPorts: [HostPort] = []
        /// UID of the controlling owner, for spreading.
        var owner: String?
    }

    /// A port that a pod takes on its node.
    package struct HostPort: Sendable, Hashable {
        var address: String
        var transport: String
        var port: Int

        /// A port of an address of the node; of all of them without an address.
        package init(address: String, transport: String, port: Int) {
            self.address = address
            self.transport = transport
            self.port = port
        }

        /// True when both cannot be had on one node: an unspecified address stands for all, that of IPv4 for all of IPv4.
        package func conflicts(with other: HostPort) -> Bool {
            guard port == other.port, transport == other.transport else { return false }
            return address == other.address || stands(for: other) || other.stands(for: self)
        }

        private func stands(for other: HostPort) -> Bool {
            switch address {
            case "", "::": true
            case "0.0.0.0": !other.address.contains(":")
            default: false
            }
        }
    }

    /// One node and the sum of its pods' demands.
    struct NodeState: Sendable {
        var node: Node?
        var pods: [ObjectKey: Demand] = [:]
        var milliCPU: Int64 = 0
        var memory: Int64 = 0
        var other: [String: Int64] = [:]
        var owners: [String: Int] = [:]
    }

    private(set) var nodes: [String: NodeState] = [:]
    private var placement: [ObjectKey: String] = [:]

    /// Creates an empty cluster.
    package init() {}

    /// Adds or replaces a node.
    package mutating func setNode(_ node: Node) {
        nodes[node.name, default: NodeState()].node = node
    }

    /// Removes a node; its pods stay counted until they go themselves.
    package mutating func removeNode(_ name: String) {
        nodes[name]?.node = nil
        if nodes[name]?.pods.isEmpty == true {
            nodes[name] = nil
        }
    }

    /// Counts a pod on a node, in place of where it was counted before.
    package mutating func place(_ pod: Pod, on node: String) {
        removePod(pod.key)
        let demand = Demand(pod)
        placement[pod.key] = node
        nodes[node, default: NodeState()].add(demand, for: pod.key, sign: 1)
    }

    /// Stops counting a pod.
    package mutating func removePod(_ key: ObjectKey) {
        guard let node = placement.removeValue(forKey: key), let demand = nodes[node]?.pods[key] else { return }
        nodes[node]?.add(demand, for: key, sign: -1)
        if let state = nodes[node], state.node == nil, state.pods.isEmpty {
            nodes[node] = nil
        }
    }

    /// The node that a pod is counted on.
    package func node(of key: ObjectKey) -> String? {
        placement[key]
    }
}

extension ClusterState.NodeState {
    fileprivate mutating func add(_ demand: ClusterState.Demand, for key: ObjectKey, sign: Int64) {
        pods[key] = sign > 0 ? demand : nil
        milliCPU += sign * demand.milliCPU
        memory += sign * demand.memory
        for (name, amount) in demand.other {
            other[name, default: 0] += sign * amount
        }
        if let owner = demand.owner {
            owners[owner, default: 0] += Int(sign)
            if owners[owner] == 0 {
                owners[owner] = nil
            }
        }
    }
}

extension ClusterState.Demand {
    /// The demand of a pod: its containers' sum, or the largest init container where that is more.
    init(_ pod: Pod) {
        var total: [String: Int64] = [:]
        var largest: [String: Int64] = [:]
        for container in pod.spec?.containers ?? [] {
            for (name, amount) in container.resources?.requests ?? [:] {
                total[name, default: 0] += Self.amount(name, amount)
            }
            for port in container.ports ?? [] where (port.hostPort ?? 0) > 0 {
                hostPorts.append(
                    ClusterState.HostPort(
                        address: port.hostIP ?? "", transport: port.protocol ?? "TCP", port: port.hostPort ?? 0))
            }
        }
        for container in pod.spec?.initContainers ?? [] {
            for (name, amount) in container.resources?.requests ?? [:] {
                let amount = Self.amount(name, amount)
                if container.restartPolicy == "Always" {
                    total[name, default: 0] += amount
                } else {
                    largest[name] = max(largest[name] ?? 0, amount)
                }
            }
        }
        total.merge(largest) { max($0, $1) }
        for (name, amount) in pod.spec?.overhead ?? [:] {
            total[name, default: 0] += Self.amount(name, amount)
        }
        milliCPU = total.removeValue(forKey: "cpu") ?? 0
        memory = total.removeValue(forKey: "memory") ?? 0
        other = total
        owner = pod.metadata.controllerOwner?.uid
    }

    /// CPU in thousandths, everything else in whole units.
    static func amount(_ name: String, _ quantity: Quantity) -> Int64 {
        name == "cpu" ? quantity.milliValue : quantity.value
    }
}
