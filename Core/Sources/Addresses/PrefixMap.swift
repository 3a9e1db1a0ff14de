/// An immutable map from networks of one family to values, asked for the longest network that holds an address.
///
/// Overlapping networks are flattened into disjoint ranges when the map is made, so that a lookup is one binary search.
@frozen
public struct PrefixMap<Value> {
    /// The first address of each range, ascending.
    @usableFromInline let starts: [UInt128]
    /// The position in `values` of the network that rules each range; negative where there is none.
    @usableFromInline let owners: [Int32]
    /// The networks and their values, as they were given.
    public let entries: [(prefix: IPPrefix, value: Value)]

    /// Makes a map; of two entries with the same network the later one counts.
    ///
    /// - Complexity: O(n log n).
    /// - Precondition: all networks are of one family.
    @inlinable
    public init(_ entries: [(prefix: IPPrefix, value: Value)]) {
        self.entries = entries
        let family = entries.first?.prefix.family
        precondition(entries.allSatisfy { $0.prefix.family == family }, "a prefix map holds one family")
        var starts: [UInt128] = []
        var owners: [Int32] = []
        func open(_ start: UInt128, _ owner: Int32) {
            if starts.last == start {
                owners[owners.count - 1] = owner
            } else if owners.last ?? -1 != owner {
                starts.append(start)
                owners.append(owner)
            }
        }
        // Shorter networks come first among those with the same address, so a network's holder is on the stack.
        let order = entries.indices.sorted { (entries[$0].prefix, $0) < (entries[$1].prefix, $1) }
        var holders: [(last: UInt128, owner: Int32)] = []
        func close(before start: UInt128?) {
            while let holder = holders.last, start.map({ holder.last < $0 }) ?? true {
                holders.removeLast()
                guard holder.last != .max else { continue }
                open(holder.last + 1, holders.last?.owner ?? -1)
            }
        }
        for index in order {
            let prefix = entries[index].prefix
            close(before: prefix.first.bits)
            open(prefix.first.bits, Int32(index))
            holders.append((prefix.last.bits, Int32(index)))
        }
        close(before: nil)
        self.starts = starts
        self.owners = owners
    }

    /// Whether the map holds nothing.
    @inlinable
    public var isEmpty: Bool { starts.isEmpty }

    /// The position in `entries` of the longest network that holds the address of the given bits.
    ///
    /// - Complexity: O(log n).
    @inlinable
    public func index(ofBits bits: UInt128) -> Int? {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= bits { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return nil }
        let owner = owners[low - 1]
        return owner < 0 ? nil : Int(owner)
    }
}

extension PrefixMap: Sendable where Value: Sendable {}
