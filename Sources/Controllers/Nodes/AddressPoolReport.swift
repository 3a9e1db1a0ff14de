import AddressPlanning
package import Addresses
package import KubernetesAPI

/// How much of a pool nodes have.
package struct PoolUsage: Sendable, Hashable {
    /// Blocks that are out, by prefix.
    package let allocated: [IPPrefix: Int]
    /// Blocks that can still be given, by family.
    package let free: [IPFamily: UInt128]

    /// Describes a usage.
    package init(allocated: [IPPrefix: Int], free: [IPFamily: UInt128]) {
        self.allocated = allocated
        self.free = free
    }
}

extension AddressPoolStatus {
    /// What a pool for pods says of itself.
    ///
    /// - Parameters:
    ///   - leftovers: Nodes that hold empty blocks of draining prefixes in their `podCIDRs`, by prefix.
    ///   - old: The status before; times of conditions that stay are taken from it.
    package init(
        of pool: AddressPool, _ usage: PoolUsage, leftovers: [IPPrefix: [String]], replacing old: AddressPoolStatus?,
        at now: Timestamp
    ) {
        let blocks = BlockPool(pool)
        self.init(
            ipv4: Self.usage(of: .ipv4, blocks, usage), ipv6: Self.usage(of: .ipv6, blocks, usage),
            prefixes: blocks.sources.map(\.prefix).map { prefix in
                AddressPrefixUsage(
                    cidr: prefix.description, capacity: Int(clamping: blocks.capacity(of: prefix)),
                    allocated: usage.allocated[prefix] ?? 0)
            }, conditions: old?.conditions)
        var conditions = old?.conditions ?? []
        if pool.isBeingDeleted {
            conditions.set(
                "Ready", "False", reason: "Terminating", message: "Nodes still have blocks of the pool", at: "\(now)")
        } else {
            conditions.set("Ready", "True", reason: "InUse", message: "Nodes get blocks of the pool", at: "\(now)")
        }
        Self.setExhausted(&conditions, blocks, usage, now)
        Self.setDrained(&conditions, blocks, usage, leftovers, now)
        self.conditions = conditions
    }

    private static func usage(of family: IPFamily, _ pool: BlockPool, _ usage: PoolUsage) -> AddressPoolUsage? {
        guard pool.families.contains(family) else { return nil }
        var capacity = 0
        for source in pool.sources where source.prefix.family == family && !source.isDraining {
            let (sum, overflow) = capacity.addingReportingOverflow(Int(clamping: pool.capacity(of: source.prefix)))
            capacity = overflow ? .max : sum
        }
        let allocated = usage.allocated.filter { $0.key.family == family }.values.reduce(0, +)
        return AddressPoolUsage(capacity: capacity, allocated: allocated)
    }

    private static func setExhausted(
        _ conditions: inout [Condition], _ pool: BlockPool, _ usage: PoolUsage, _ now: Timestamp
    ) {
        let empty = pool.families.filter { usage.free[$0] ?? 0 == 0 }.sorted()
        if empty.isEmpty {
            conditions.set("Exhausted", "False", reason: "BlocksFree", message: "", at: "\(now)")
        } else {
            let families = empty.map(\.name).joined(separator: " and ")
            conditions.set(
                "Exhausted", "True", reason: "NoFreeBlock",
                message: "The pool has no free block of \(families): add a prefix", at: "\(now)")
        }
    }

    private static func setDrained(
        _ conditions: inout [Condition], _ pool: BlockPool, _ usage: PoolUsage, _ leftovers: [IPPrefix: [String]],
        _ now: Timestamp
    ) {
        let draining = pool.sources.filter(\.isDraining).map(\.prefix)
        guard !draining.isEmpty else {
            conditions.removeAll { $0.type == "Drained" }
            return
        }
        let inUse = draining.reduce(0) { $0 + (usage.allocated[$1] ?? 0) - (leftovers[$1]?.count ?? 0) }
        let nodes = Set(draining.flatMap { leftovers[$0] ?? [] }).sorted()
        guard inUse <= 0 else {
            conditions.set(
                "Drained", "False", reason: "BlocksInUse",
                message: "Nodes have \(inUse) blocks of draining prefixes in use", at: "\(now)")
            return
        }
        // Nobody may change a node's podCIDRs, so its first block stays its own as long as the node is there.
        let rest =
            nodes.isEmpty
            ? "" : "; empty ones stay in spec.podCIDRs of \(Self.list(nodes)) until these nodes are made anew"
        conditions.set(
            "Drained", "True", reason: nodes.isEmpty ? "NoBlocks" : "NoAddresses",
            message: "No pod has an address of a draining prefix\(rest)", at: "\(now)")
    }

    private static func list(_ nodes: [String]) -> String {
        nodes.count <= 5 ? nodes.joined(separator: ", ") : "\(nodes.prefix(5).joined(separator: ", ")) and others"
    }
}
