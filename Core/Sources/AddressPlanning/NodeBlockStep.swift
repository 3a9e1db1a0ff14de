public import Addresses

/// What happens next to the blocks of one node.
///
/// A node gets a further block when few addresses are free, and a replacement before a block has to go. A block goes in two
/// phases: it is releasing until the node says that it gives no more addresses of it and none is in use; then it is returned.
public struct NodeBlockStep: Sendable {
    /// When blocks come and go.
    public struct Policy: Sendable, Hashable {
        /// Seconds for which a further block must have been empty before it goes.
        public var returnDelay: Int

        /// Creates a policy.
        public init(returnDelay: Int = 60) {
            self.returnDelay = returnDelay
        }

        /// The free addresses below which a node gets a further block: a quarter of a block, at most 64.
        static func reserve(capacity: Int) -> Int {
            min(64, max(1, capacity / 4))
        }
    }

    /// The blocks that the node shall have, new ones last.
    public private(set) var blocks: [HeldBlock]
    /// Blocks that the node has given back; they are free once it no longer lists them.
    public private(set) var returned: [IPPrefix] = []
    /// Families of which the node needs a block that no pool has.
    public private(set) var shortOf: [IPFamily] = []
    /// Seconds after which time alone changes something; nil when it does not.
    public private(set) var secondsToNext: Int?

    /// Finds the next step.
    ///
    /// - Parameters:
    ///   - held: What the node has.
    ///   - candidates: The pools that are for the node.
    ///   - allocator: Where a new block is taken from; the caller releases it if it cannot tell the node.
    ///   - idleSince: When each further block was first seen empty and dispensable, kept from step to step.
    ///   - now: The present moment in seconds.
    public init(
        _ held: [HeldBlock], among candidates: [BlockAllocator.Candidate], from allocator: inout BlockAllocator,
        idleSince: inout [IPPrefix: Int], now: Int, policy: Policy = Policy()
    ) {
        blocks = held
        idleSince = idleSince.filter { entry in held.contains { $0.block == entry.key && $0.usage?.used == 0 } }
        for family in IPFamily.allCases where held.contains(where: { $0.block.family == family }) {
            step(family, candidates, &allocator)
            release(family, allocator, &idleSince, now, policy)
        }
        let gone = blocks.filter { block in
            !block.isPermanent && block.isReleasing && block.usage?.isReleasing == true && block.usage?.used == 0
        }
        returned = gone.map(\.block)
        blocks.removeAll { gone.contains($0) }
    }

    /// The blocks of a family that pods may get addresses from and that need not go.
    private func active(_ family: IPFamily, _ allocator: BlockAllocator) -> [HeldBlock] {
        blocks.filter { $0.block.family == family && !$0.isReleasing && !isLeaving($0, allocator) }
    }

    private func isLeaving(_ block: HeldBlock, _ allocator: BlockAllocator) -> Bool {
        block.pool.map { allocator.isLeaving(block.block, pool: $0) } ?? false
    }

    /// Gets the node what it needs; only then lets go what has to.
    private mutating func step(
        _ family: IPFamily, _ candidates: [BlockAllocator.Candidate], _ allocator: inout BlockAllocator
    ) {
        if needsMore(active(family, allocator)) {
            let spare = blocks.firstIndex {
                $0.block.family == family && $0.isReleasing && !isLeaving($0, allocator)
            }
            if let spare {
                blocks[spare].isReleasing = false
            } else if let grant = allocator.allocate([family], among: candidates)?.first {
                blocks.append(HeldBlock(grant.block, pool: grant.pool))
            } else {
                shortOf.append(family)
                return
            }
        }
        for index in blocks.indices where blocks[index].block.family == family && isLeaving(blocks[index], allocator) {
            blocks[index].isReleasing = true
        }
    }

    private func needsMore(_ active: [HeldBlock]) -> Bool {
        let reports = active.compactMap(\.usage)
        // A block that the node has not spoken of yet is on its way.
        guard reports.count == active.count, let capacity = reports.map(\.capacity).min() else { return active.isEmpty }
        return reports.reduce(0) { $0.saturatingAdd($1.free) } < Policy.reserve(capacity: capacity)
    }

    /// Lets go one further block that was empty for long and is not needed.
    private mutating func release(
        _ family: IPFamily, _ allocator: BlockAllocator, _ idleSince: inout [IPPrefix: Int], _ now: Int,
        _ policy: Policy
    ) {
        let active = active(family, allocator)
        let reports = active.compactMap(\.usage)
        guard shortOf.isEmpty, reports.count == active.count, let capacity = reports.map(\.capacity).min() else {
            return
        }
        let free = reports.reduce(0) { $0.saturatingAdd($1.free) }
        let idle = active.last { !$0.isPermanent && $0.usage?.used == 0 }
        // Twice the reserve, or the block would soon be wanted again.
        guard let idle, let size = idle.usage?.capacity, free - size >= 2 * Policy.reserve(capacity: capacity),
            let index = blocks.firstIndex(of: idle)
        else { return }
        let since = idleSince[idle.block] ?? now
        idleSince[idle.block] = since
        guard now - since >= policy.returnDelay else {
            secondsToNext = min(secondsToNext ?? .max, policy.returnDelay - (now - since))
            return
        }
        blocks[index].isReleasing = true
    }
}

extension Int {
    /// The sum, or the greatest number where it is too large.
    func saturatingAdd(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
