import AddressPlanning
package import Addresses
package import KubernetesAPI

/// The blocks of all nodes and the pools that they come from.
package struct NodeBlocks: Sendable {
    /// What giving a node its first blocks came to.
    package enum Outcome: Sendable, Hashable {
        /// The blocks, in the order of the families.
        case blocks([IPPrefix])
        /// A family is used up in every pool of the node; nothing has been given.
        case exhausted
        /// No pool is for the node.
        case unserved
    }

    /// Why blocks that a node has do not fit the pools.
    package struct Mismatch: Error, Sendable, Hashable, CustomStringConvertible {
        /// A sentence for people.
        package let description: String
    }

    /// A node's next step, as objects have it.
    package struct Step: Sendable {
        /// What the node's NodeNetwork shall say.
        package let spec: NodeNetworkSpec
        /// Blocks that were not there before.
        package let added: [IPPrefix]
        /// Blocks that are free once the NodeNetwork is written.
        package let returned: [IPPrefix]
        /// Families of which the node needs more than the pools have.
        package let shortOf: [IPFamily]
        /// Seconds after which to look again; nil when time alone changes nothing.
        package let secondsToNext: Int?
    }

    private var allocator: BlockAllocator
    private var pools: [String: AddressPool] = [:]
    private let families: [IPFamily]
    private let policy: NodeBlockStep.Policy
    /// The blocks of each node that the allocator knows of.
    private var owned: [String: Set<IPPrefix>] = [:]
    /// The first blocks that were given to each node, which may not show them yet.
    private var given: [String: [IPPrefix]] = [:]
    /// The prefixes of pools for other purposes than pods.
    private var reserved: [String: Set<IPPrefix>] = [:]
    private var idleSince: [String: [IPPrefix: Int]] = [:]
    /// The blocks of each node that no pool has and of which somebody has been told.
    private var strays: [String: Set<IPPrefix>] = [:]

    /// Creates the books of a cluster without pools and nodes.
    package init(_ configuration: ControllerConfiguration) {
        allocator = BlockAllocator(excluding: configuration.serviceClusterIPRanges)
        families = configuration.familyOrder
        policy = NodeBlockStep.Policy(returnDelay: configuration.blockReturnSeconds)
    }

    /// Takes a pool's new state; true when nodes may now get what they could not before, or have to give up what they had.
    ///
    /// A pool gives nothing before it is held: it could be gone the next moment, with its blocks in use.
    package mutating func setPool(_ pool: AddressPool) -> Bool {
        let old = pools[pool.name]
        pools[pool.name] = pool
        let blocks = BlockPool(pool)
        guard
            allocator.pool(named: pool.name) != blocks || old?.spec?.nodeSelector != pool.spec?.nodeSelector
                || old?.isHeld != pool.isHeld
        else { return false }
        allocator.setPool(blocks)
        return true
    }

    /// Forgets a pool.
    package mutating func removePool(_ name: String) {
        pools[name] = nil
        allocator.removePool(name)
    }

    /// Whether there is a pool that gives blocks at all.
    package var hasPools: Bool { pools.values.contains(where: \.isHeld) }

    /// Refuses a block that the only pool, the one made of the flags, does not have: the flags must have changed.
    package func check(_ block: IPPrefix, of node: String) throws(Mismatch) {
        guard pools.count == 1, let pool = pools[AddressPool.defaultName] else { return }
        let ranges = BlockPool(pool).sources.map(\.prefix)
        guard !ranges.contains(where: { $0.contains(block) }) else { return }
        let text = ranges.filter { $0.family == block.family }.map(\.description).joined(separator: ", ")
        throw Mismatch(
            description: text.isEmpty
                ? "node \(node) has the block \(block), and the cluster has no range of \(block.family)"
                : "node \(node) has the block \(block), which is not in the cluster CIDR \(text); keep the old range, or delete the node first"
        )
    }

    /// Keeps the prefixes of a pool for another purpose from becoming blocks; none when the pool is gone.
    ///
    /// - Returns: Prefixes of which nodes or other pools have a part.
    package mutating func reserve(_ prefixes: [IPPrefix], for pool: String) -> [IPPrefix] {
        let present = reserved[pool] ?? []
        let wanted = Set(prefixes)
        for prefix in present.subtracting(wanted) { allocator.release(prefix) }
        let contested = prefixes.filter { !present.contains($0) && !allocator.occupy($0) }
        reserved[pool] = wanted.isEmpty ? nil : wanted
        return contested
    }

    /// Takes note of the blocks that a node has; what it had before and no longer has is freed.
    ///
    /// - Returns: Blocks of which others have a part.
    package mutating func occupy(_ blocks: [IPPrefix], by node: String) -> [IPPrefix] {
        let present = owned[node] ?? []
        let wanted = Set(blocks)
        for block in present.subtracting(wanted) { allocator.release(block) }
        let contested = blocks.filter { !present.contains($0) && !allocator.occupy($0) }
        owned[node] = wanted
        return contested
    }

    /// Gives a new node one block of every family that its pools have, the same ones again if it is asked twice.
    package mutating func allocate(for node: Node) -> Outcome {
        if let present = given[node.name] { return .blocks(present) }
        guard let grants = allocator.allocate(families, among: candidates(for: node)) else { return .exhausted }
        guard !grants.isEmpty else { return .unserved }
        let blocks = grants.map(\.block)
        given[node.name] = blocks
        owned[node.name] = Set(blocks)
        return .blocks(blocks)
    }

    /// Takes back the first blocks that a node did not accept.
    package mutating func takeBack(from node: String) {
        release(given.removeValue(forKey: node) ?? [], of: node)
    }

    /// Frees what a node has.
    package mutating func release(_ node: String) {
        for block in owned.removeValue(forKey: node) ?? [] { allocator.release(block) }
        given[node] = nil
        idleSince[node] = nil
        strays[node] = nil
    }

    /// The blocks of a node that no pool has, each only once: they stay the node's, and somebody should know (KEP-2593).
    package mutating func newStrays(of node: String) -> [IPPrefix] {
        let present: Set<IPPrefix> = pools.isEmpty ? [] : (owned[node] ?? []).filter { allocator.pool(of: $0) == nil }
        let known = strays.updateValue(present, forKey: node) ?? []
        return present.subtracting(known).sorted()
    }

    /// Finds out what happens next to the blocks of a node that has its first ones.
    ///
    /// - Parameter now: The present moment in seconds.
    package mutating func step(_ node: Node, _ network: NodeNetwork?, now: Int) -> Step {
        let held = held(by: node, network)
        _ = occupy(held.map(\.block), by: node.name)
        let step = NodeBlockStep(
            held, among: candidates(for: node), from: &allocator, idleSince: &idleSince[node.name, default: [:]],
            now: now, policy: policy)
        let before = Set(held.map(\.block))
        let added = step.blocks.map(\.block).filter { !before.contains($0) }
        owned[node.name]?.formUnion(added)
        let blocks = step.blocks.map { block in
            NodeBlock(
                cidr: block.block.description, pool: block.pool,
                state: block.isReleasing ? NodeBlock.releasing : NodeBlock.active)
        }
        return Step(
            spec: NodeNetworkSpec(blocks: blocks), added: added, returned: step.returned, shortOf: step.shortOf,
            secondsToNext: step.secondsToNext)
    }

    /// Frees some blocks of a node: given back, or never told to it.
    package mutating func release(_ blocks: [IPPrefix], of node: String) {
        for block in blocks where owned[node]?.remove(block) != nil { allocator.release(block) }
    }

    /// How many blocks of a pool are out, by prefix, and how many can still be given, by family.
    ///
    /// O(blocks that are out).
    package func usage(of pool: String) -> PoolUsage {
        let prefixes = allocator.pool(named: pool)?.sources.map(\.prefix) ?? []
        var counts: [IPPrefix: Int] = [:]
        for blocks in owned.values {
            for block in blocks {
                if let prefix = prefixes.first(where: { $0.contains(block) }) { counts[prefix, default: 0] += 1 }
            }
        }
        let free = IPFamily.allCases.map { ($0, allocator.free($0, in: pool)) }
        return PoolUsage(allocated: counts, free: Dictionary(uniqueKeysWithValues: free))
    }

    private func candidates(for node: Node) -> [BlockAllocator.Candidate] {
        pools.values.filter(\.isHeld).compactMap { pool in
            pool.specificity(for: node).map { BlockAllocator.Candidate(pool: pool.name, specificity: $0) }
        }
    }

    private func held(by node: Node, _ network: NodeNetwork?) -> [HeldBlock] {
        let listed = network?.spec?.blocks ?? []
        let usage = Dictionary(
            (network?.status?.blocks ?? []).map { ($0.cidr, HeldBlock.Usage($0)) }, uniquingKeysWith: { $1 })
        let permanent = node.podCIDRs.map { cidr in listed.first { $0.cidr == cidr } ?? NodeBlock(cidr: cidr) }
        let further = listed.filter { !node.podCIDRs.contains($0.cidr) }
        let entries = permanent.map { ($0, true) } + further.map { ($0, false) }
        return entries.compactMap { entry, isPermanent in
            guard let block = IPPrefix(masking: entry.cidr) else { return nil }
            let recorded = entry.pool.flatMap { pools[$0] == nil ? nil : $0 }
            return HeldBlock(
                block, pool: recorded ?? allocator.pool(of: block), isPermanent: isPermanent,
                isReleasing: entry.isReleasing, usage: usage[entry.cidr])
        }
    }
}

extension HeldBlock.Usage {
    fileprivate init(_ report: NodeBlockUsage) {
        self.init(
            used: report.used, capacity: report.capacity, isReleasing: report.state == NodeBlock.releasing)
    }
}
