public import Addresses

/// Hands out blocks of pools whose prefixes may overlap, each address at most once.
///
/// Blocks of a pool are given in turn: a freed block comes back only when all later ones have been given. The cost of a block
/// follows the bits of an address and the number of prefixes, not their size nor the number of blocks that are out.
public struct BlockAllocator: Sendable {
    /// What is known of a pool besides its description.
    private struct Entry {
        var pool: BlockPool
        /// Free blocks by prefix, for those that are not draining.
        var free: [IPPrefix: UInt128] = [:]
        /// The block given last, by family.
        var last: [IPFamily: IPPrefix] = [:]
    }

    private var spaces: [IPFamily: BlockSpace] = [.ipv4: BlockSpace(.ipv4), .ipv6: BlockSpace(.ipv6)]
    private var entries: [String: Entry] = [:]
    private let excluded: [IPPrefix]
    /// Blocks that are out, with the number of those who have them; more than one only by somebody else's mistake.
    private var held: [IPPrefix: Int] = [:]
    /// Whether blocks that overlap were ever seen.
    private var hasOverlaps = false

    /// Creates an allocator that never gives what overlaps one of the prefixes.
    public init(excluding excluded: [IPPrefix] = []) {
        self.excluded = excluded
        for prefix in excluded { spaces[prefix.family]?.take(prefix) }
    }

    /// The pool of that name.
    public func pool(named name: String) -> BlockPool? { entries[name]?.pool }

    /// Adds a pool or changes it; blocks that are out stay out.
    public mutating func setPool(_ pool: BlockPool) {
        guard entries[pool.name]?.pool != pool else { return }
        var entry = Entry(pool: pool, last: entries[pool.name]?.last ?? [:])
        for source in pool.sources where !source.isDraining {
            let prefix = source.prefix
            entry.free[prefix] = pool.blockLengths[prefix.family].flatMap { length in
                spaces[prefix.family]?.countFree(in: prefix, length: length)
            }
        }
        entries[pool.name] = entry
    }

    /// Forgets a pool.
    public mutating func removePool(_ name: String) {
        entries[name] = nil
    }

    /// Takes note of a block that somebody has; false when part of it is taken already.
    public mutating func occupy(_ block: IPPrefix) -> Bool {
        let isFree = spaces[block.family]?.isFree(block) ?? false
        if !isFree { hasOverlaps = true }
        held[block, default: 0] += 1
        change(block) { $0.take(block) }
        return isFree
    }

    /// Frees a block that somebody had.
    public mutating func release(_ block: IPPrefix) {
        guard let count = held[block] else { return }
        guard count == 1 else {
            held[block] = count - 1
            return
        }
        held[block] = nil
        let others = (hasOverlaps ? held.keys.filter { $0.overlaps(block) } : []) + excluded.filter(block.overlaps)
        change(block) { space in
            space.release(block)
            for other in others { space.take(other) }
        }
    }

    /// Gives the next free block of a pool; nil when there is none.
    public mutating func allocate(_ family: IPFamily, from name: String) -> IPPrefix? {
        guard let entry = entries[name], let space = spaces[family], let length = entry.pool.blockLengths[family]
        else { return nil }
        let prefixes = entry.pool.sources.filter { !$0.isDraining && $0.prefix.family == family }.map(\.prefix)
        let last = entry.last[family]
        let start = last.flatMap { last in prefixes.firstIndex { $0.contains(last) } }
        // The rest of the prefix used last, then the others in their order, at last the part before.
        var places: [(prefix: IPPrefix, from: IPAddress)] = []
        if let start, let last, let next = last.last.advanced(by: 1) {
            places.append((prefixes[start], next))
        }
        let first = start.map { $0 + 1 } ?? 0
        places += (prefixes[first...] + prefixes[..<first]).map { ($0, $0.first) }
        for place in places {
            guard let block = space.firstFree(in: place.prefix, length: length, from: place.from) else { continue }
            _ = occupy(block)
            entries[name]?.last[family] = block
            return block
        }
        return nil
    }

    /// The number of blocks of a family that a pool can still give.
    public func free(_ family: IPFamily, in name: String) -> UInt128 {
        var sum: UInt128 = 0
        for (prefix, count) in entries[name]?.free ?? [:] where prefix.family == family {
            let (next, overflow) = sum.addingReportingOverflow(count)
            sum = overflow ? .max : next
        }
        return sum
    }

    /// The pool of a block: one whose prefix contains it, a prefix that does not drain before one that does.
    public func pool(of block: IPPrefix) -> String? {
        let containing = entries.values.filter { entry in entry.pool.sources.contains { $0.prefix.contains(block) } }
        return containing.min { left, right in
            (isLeaving(block, left.pool) ? 1 : 0, left.pool.name) < (
                isLeaving(block, right.pool) ? 1 : 0, right.pool.name
            )
        }?.pool.name
    }

    /// Whether a block of a pool shall come back because its prefix drains or is no longer in the pool.
    public func isLeaving(_ block: IPPrefix, pool name: String) -> Bool {
        entries[name].map { isLeaving(block, $0.pool) } ?? false
    }

    private func isLeaving(_ block: IPPrefix, _ pool: BlockPool) -> Bool {
        !pool.sources.contains { !$0.isDraining && $0.prefix.contains(block) }
    }

    /// Changes the space at a block, and the numbers of free blocks with it.
    private mutating func change(_ block: IPPrefix, _ body: (inout BlockSpace) -> Void) {
        guard var space = spaces[block.family] else { return }
        spaces[block.family] = nil
        defer { spaces[block.family] = space }
        var counts: [(name: String, prefix: IPPrefix, region: IPPrefix, length: Int, before: UInt128)] = []
        for (name, entry) in entries {
            guard let length = entry.pool.blockLengths[block.family] else { continue }
            // What is free may change in the block, or in the larger block of this pool around it.
            let region = block.length <= length ? block : IPPrefix(block.address, length: length)
            for prefix in entry.free.keys where prefix.overlaps(block) {
                let part = prefix.contains(region) ? region : prefix
                counts.append((name, prefix, part, length, space.countFree(in: part, length: length)))
            }
        }
        body(&space)
        for count in counts {
            let after = space.countFree(in: count.region, length: count.length)
            guard let present = entries[count.name]?.free[count.prefix] else { continue }
            entries[count.name]?.free[count.prefix] = present &- count.before &+ after
        }
    }
}
