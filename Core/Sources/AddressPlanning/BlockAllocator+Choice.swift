public import Addresses

extension BlockAllocator {
    /// A pool that a node may get blocks from.
    public struct Candidate: Sendable, Hashable {
        /// The pool.
        public let pool: String
        /// How many requirements of the pool's selector the node meets; 0 for a pool without one.
        public let specificity: Int

        /// Describes a candidate.
        public init(pool: String, specificity: Int) {
            self.pool = pool
            self.specificity = specificity
        }
    }

    /// A block and the pool that it comes from.
    public struct Grant: Sendable, Hashable {
        /// The block.
        public let block: IPPrefix
        /// The pool.
        public let pool: String

        /// Describes a grant.
        public init(block: IPPrefix, pool: String) {
            self.block = block
            self.pool = pool
        }
    }

    /// Gives a node one block of every family that its pools have, in the order of the families asked for.
    ///
    /// The pool that suits best gives all the families it has (KEP-2593); what it does not have comes from the next one. A
    /// pool that cannot give all of them is passed over.
    ///
    /// - Returns: nil when a family that the pools have is exhausted; nothing has been given then.
    public mutating func allocate(_ families: [IPFamily], among candidates: [Candidate]) -> [Grant]? {
        var given: [IPFamily: Grant] = [:]
        let offered = candidates.reduce(into: Set<IPFamily>()) { $0.formUnion(activeFamilies(of: $1.pool)) }
        var missing = families.filter(offered.contains)
        while !missing.isEmpty {
            guard
                let best = ranked(candidates, missing).first(where: { candidate in
                    wanted(missing, of: candidate.pool).allSatisfy { free($0, in: candidate.pool) > 0 }
                })
            else { return takeBack(given) }
            for family in wanted(missing, of: best.pool) {
                guard let block = allocate(family, from: best.pool) else { return takeBack(given) }
                given[family] = Grant(block: block, pool: best.pool)
            }
            missing.removeAll { given[$0] != nil }
        }
        return families.compactMap { given[$0] }
    }

    private mutating func takeBack(_ given: [IPFamily: Grant]) -> [Grant]? {
        for grant in given.values { release(grant.block) }
        return nil
    }

    /// The candidates that have a family asked for, the one that suits best first.
    ///
    /// The most requirements met, then the fewest free blocks, then the smallest blocks, then by name.
    public func ranked(_ candidates: [Candidate], _ families: [IPFamily]) -> [Candidate] {
        candidates.compactMap { candidate -> (Candidate, UInt128, [Int])? in
            let wanted = wanted(families, of: candidate.pool)
            guard let fewest = wanted.map({ free($0, in: candidate.pool) }).min() else { return nil }
            return (candidate, fewest, pool(named: candidate.pool)?.hostBits ?? [])
        }.sorted { left, right in
            if left.0.specificity != right.0.specificity { return left.0.specificity > right.0.specificity }
            if left.1 != right.1 { return left.1 < right.1 }
            if left.2 != right.2 { return left.2.lexicographicallyPrecedes(right.2) }
            return left.0.pool < right.0.pool
        }.map(\.0)
    }

    private func activeFamilies(of pool: String) -> Set<IPFamily> {
        Set((self.pool(named: pool)?.sources ?? []).filter { !$0.isDraining }.map(\.prefix.family))
    }

    private func wanted(_ families: [IPFamily], of pool: String) -> [IPFamily] {
        let own = activeFamilies(of: pool)
        return families.filter(own.contains)
    }
}
