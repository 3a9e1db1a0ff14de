package import Addresses

/// Hands out equal blocks of one range, each at most once.
///
/// Only what is taken is stored, so a range of any size costs nothing. Blocks are given in turn: a freed block comes back
/// only when all later ones have been given.
package struct BlockAllocator: Sendable {
    /// The range.
    package let range: IPPrefix
    /// Prefix length of a block.
    package let blockLength: Int
    private let count: UInt128
    /// Parts of the range that are never given, as numbers of blocks, in order.
    private let excluded: [ClosedRange<UInt128>]
    private var taken: Set<UInt128> = []
    private var nextCandidate: UInt128 = 0

    /// Creates an allocator; blocks that overlap an excluded prefix are never given.
    package init(range: IPPrefix, blockLength: Int, excluding prefixes: [IPPrefix] = []) {
        self.range = range
        self.blockLength = blockLength
        let bits = blockLength - range.length
        count = bits >= 128 ? .max : (1 << UInt128(bits))
        excluded =
            prefixes
            .compactMap { prefix -> ClosedRange<UInt128>? in
                if prefix.contains(range) {
                    return 0...UInt128.max
                }
                guard range.contains(prefix) else { return nil }
                let first = IPPrefix(prefix.first, length: blockLength)
                let last = IPPrefix(prefix.last, length: blockLength)
                guard let low = range.index(of: first), let high = range.index(of: last) else { return nil }
                return low...high
            }
            .sorted { $0.lowerBound < $1.lowerBound }
    }

    /// Gives the next free block, nil when there is none.
    package mutating func allocate() -> IPPrefix? {
        guard let index = free(from: nextCandidate) ?? free(from: 0) else { return nil }
        taken.insert(index)
        nextCandidate = index + 1 < count ? index + 1 : 0
        return range.subnet(at: index, length: blockLength)
    }

    /// Marks what a prefix within the range covers as taken; false when it lies outside.
    package mutating func occupy(_ prefix: IPPrefix) -> Bool {
        guard let index = index(of: prefix) else { return false }
        taken.insert(index)
        return true
    }

    /// Frees a block.
    package mutating func release(_ prefix: IPPrefix) {
        if let index = index(of: prefix) {
            taken.remove(index)
        }
    }

    /// Number of the block that a prefix is, or lies in.
    private func index(of prefix: IPPrefix) -> UInt128? {
        guard range.contains(prefix), prefix.length >= blockLength else { return nil }
        return range.index(of: IPPrefix(prefix.address, length: blockLength))
    }

    private func free(from start: UInt128) -> UInt128? {
        var index = start
        while index < count {
            if let gap = excluded.first(where: { $0.contains(index) }) {
                guard gap.upperBound < count else { return nil }
                index = gap.upperBound + 1
            } else if taken.contains(index) {
                index += 1
            } else {
                return index
            }
        }
        return nil
    }
}
