internal import Addresses

/// The largest of a collection of prefixes that may overlap: a set of the kernel's takes no range inside another.
///
/// A prefix may be there several times, and stays until it was removed as often.
struct PrefixCover: Hashable, Sendable {
    private var counts: [IPPrefix: Int] = [:]
    /// All prefixes; one stands directly before those that it contains.
    private var sorted: [IPPrefix] = []

    /// Adds a prefix and returns those that may now have become, or ceased to be, the largest ones.
    mutating func insert(_ prefix: IPPrefix) -> [IPPrefix] {
        counts[prefix, default: 0] += 1
        guard counts[prefix] == 1 else { return [] }
        let position = position(of: prefix)
        sorted.insert(prefix, at: position)
        return contained(in: prefix, from: position)
    }

    /// Removes a prefix that was inserted, and returns those that may now have become, or ceased to be, the largest ones.
    mutating func remove(_ prefix: IPPrefix) -> [IPPrefix] {
        guard let count = counts[prefix] else { return [] }
        counts[prefix] = count == 1 ? nil : count - 1
        guard count == 1 else { return [] }
        let position = position(of: prefix)
        let affected = contained(in: prefix, from: position)
        sorted.remove(at: position)
        return affected
    }

    /// Whether the prefix is there and no other contains it.
    func isLargest(_ prefix: IPPrefix) -> Bool {
        counts[prefix] != nil
            && !(0..<prefix.length).contains { counts[IPPrefix(prefix.address, length: $0)] != nil }
    }

    /// The prefixes that no other contains.
    var largest: Set<IPPrefix> {
        Set(sorted.filter(isLargest))
    }

    private func contained(in prefix: IPPrefix, from position: Int) -> [IPPrefix] {
        Array(sorted[position...].prefix { prefix.contains($0) })
    }

    private func position(of prefix: IPPrefix) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < prefix { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
