package import Addresses

/// Which node's address leads to which block of pod addresses, as seen from one node.
///
/// A change of one node touches that node's blocks only.
package struct RoutePlan: Sendable {
    private struct Target {
        var gateway: IPAddress
        var owner: String
    }

    private let nodeName: String
    private var nodes: [String: ClusterNode] = [:]
    private var targets: [IPPrefix: Target] = [:]

    /// A plan for a node of this name, without others.
    package init(nodeName: String) {
        self.nodeName = nodeName
    }

    /// The node itself, once it is known.
    package var own: ClusterNode? {
        nodes[nodeName]
    }

    /// All nodes that are known.
    package var allNodes: [ClusterNode] {
        Array(nodes.values)
    }

    /// Takes a node's new state, `nil` when it is gone, and returns the destinations whose gateway may have changed.
    package mutating func update(_ name: String, _ node: ClusterNode?) -> Set<IPPrefix> {
        let old = nodes[name]
        guard old != node else { return [] }
        nodes[name] = node
        if name == nodeName {
            // What overlaps the node's own blocks must not lead away, so every other node's routes are looked at again.
            return replan()
        }
        var touched: Set<IPPrefix> = []
        for prefix in old?.podPrefixes ?? [] where targets[prefix]?.owner == name {
            targets[prefix] = nil
            touched.insert(prefix)
        }
        if let node { touched.formUnion(claim(node)) }
        return touched
    }

    /// The gateway to a destination; `nil` when there shall be no route.
    package func gateway(to destination: IPPrefix) -> IPAddress? {
        targets[destination]?.gateway
    }

    /// All destinations that shall have a route.
    package var destinations: Set<IPPrefix> {
        Set(targets.keys)
    }

    private mutating func replan() -> Set<IPPrefix> {
        var touched = destinations
        targets = [:]
        for node in nodes.values.sorted(by: { $0.name < $1.name }) where node.name != nodeName {
            touched.formUnion(claim(node))
        }
        return touched
    }

    private mutating func claim(_ node: ClusterNode) -> Set<IPPrefix> {
        var touched: Set<IPPrefix> = []
        for prefix in node.podPrefixes {
            guard let gateway = node.address(prefix.family),
                own?.podPrefixes.contains(where: { $0.overlaps(prefix) }) != true
            else { continue }
            targets[prefix] = Target(gateway: gateway, owner: node.name)
            touched.insert(prefix)
        }
        return touched
    }
}
