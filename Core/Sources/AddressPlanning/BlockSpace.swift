public import Addresses

/// Which parts of one family's addresses are taken.
///
/// A binary tree over the address bits in which a wholly free or wholly taken part is a leaf, so that memory follows what is
/// taken and not how large a prefix is. Every question but the count takes as many steps as an address has bits at most.
public struct BlockSpace: Sendable {
    /// The family.
    public let family: IPFamily
    private var root = Part.free
    private var forks: [Fork] = []
    private var unused: [Int32] = []

    /// A part of the space: a leaf, or the number of a fork.
    private struct Part: Equatable {
        var number: Int32
        static let free = Part(number: -1)
        static let taken = Part(number: -2)

        /// Whether it is neither wholly free nor wholly taken.
        var isFork: Bool { number >= 0 }
    }

    /// The two halves of a part.
    private struct Fork {
        var low: Part
        var high: Part
        /// Prefix length of the largest free block inside; a fork always has some.
        var largest: UInt8
    }

    /// Creates the space of a family, all of it free.
    public init(_ family: IPFamily) {
        self.family = family
    }

    /// Whether no address of a prefix is taken.
    public func isFree(_ prefix: IPPrefix) -> Bool {
        part(at: prefix).part == .free
    }

    /// The lowest free block of a length in a prefix whose first address is not below another; nil when there is none.
    public func firstFree(in prefix: IPPrefix, length: Int, from address: IPAddress) -> IPPrefix? {
        guard length >= prefix.length, length <= family.bitWidth else { return nil }
        let (part, _) = part(at: prefix)
        let first = firstFree(
            part, prefix.length, prefix.first.bits, length: length, from: max(address.bits, prefix.first.bits))
        return first.map { IPPrefix(IPAddress(family: family, bits: $0), length: length) }
    }

    /// The number of free blocks of a length in a prefix, at most 2^128 - 1; O(what is taken in it).
    public func countFree(in prefix: IPPrefix, length: Int) -> UInt128 {
        guard length >= prefix.length else { return 0 }
        return countFree(part(at: prefix).part, prefix.length, length: length)
    }

    /// Takes a prefix, whatever of it is taken already.
    public mutating func take(_ prefix: IPPrefix) {
        root = set(root, 0, prefix, .taken)
    }

    /// Frees a prefix, whatever of it is free already.
    public mutating func release(_ prefix: IPPrefix) {
        root = set(root, 0, prefix, .free)
    }

    /// The number of tree nodes in memory.
    package var size: Int { forks.count - unused.count }

    // MARK: The tree

    /// The part that a prefix is, or the leaf that it lies in.
    private func part(at prefix: IPPrefix) -> (part: Part, depth: Int) {
        var part = root
        var depth = 0
        while part.isFork, depth < prefix.length {
            let fork = forks[Int(part.number)]
            part = isHigh(prefix, depth) ? fork.high : fork.low
            depth += 1
        }
        return (part, depth)
    }

    private func isHigh(_ prefix: IPPrefix, _ depth: Int) -> Bool {
        prefix.address.bits >> UInt128(family.bitWidth - 1 - depth) & 1 == 1
    }

    /// Prefix length of the largest free block of a part; longer than any address when there is none.
    private func largest(_ part: Part, _ depth: Int) -> UInt8 {
        if part.isFork { return forks[Int(part.number)].largest }
        return part == .free ? UInt8(depth) : .max
    }

    private func firstFree(_ part: Part, _ depth: Int, _ base: UInt128, length: Int, from: UInt128) -> UInt128? {
        let end = base | hostBits(depth)
        guard from <= end, largest(part, depth) <= UInt8(length) else { return nil }
        if part == .free {
            let size = hostBits(length)
            // The first multiple of the block's size that is not below.
            let start = from <= base ? base : from & size == 0 ? from : (from | size) &+ 1
            return start >= base && start <= end ? start : nil
        }
        let fork = forks[Int(part.number)]
        let half = base | (1 << UInt128(family.bitWidth - 1 - depth))
        return firstFree(fork.low, depth + 1, base, length: length, from: from)
            ?? firstFree(fork.high, depth + 1, half, length: length, from: from)
    }

    private func hostBits(_ depth: Int) -> UInt128 {
        let bits = family.bitWidth - depth
        return bits == 128 ? .max : (1 << UInt128(bits)) - 1
    }

    private func countFree(_ part: Part, _ depth: Int, length: Int) -> UInt128 {
        if part == .free { return length - depth == 128 ? .max : 1 << UInt128(length - depth) }
        guard part.isFork, depth < length else { return 0 }
        let fork = forks[Int(part.number)]
        let low = countFree(fork.low, depth + 1, length: length)
        let (sum, overflow) = low.addingReportingOverflow(countFree(fork.high, depth + 1, length: length))
        return overflow ? .max : sum
    }

    private mutating func set(_ part: Part, _ depth: Int, _ prefix: IPPrefix, _ value: Part) -> Part {
        if part == value { return part }
        if depth == prefix.length {
            discard(part)
            return value
        }
        var fork =
            part.isFork ? forks[Int(part.number)] : Fork(low: part, high: part, largest: .max)
        if isHigh(prefix, depth) {
            fork.high = set(fork.high, depth + 1, prefix, value)
        } else {
            fork.low = set(fork.low, depth + 1, prefix, value)
        }
        if fork.low == fork.high, !fork.low.isFork {
            if part.isFork { unused.append(part.number) }
            return fork.low
        }
        fork.largest = min(largest(fork.low, depth + 1), largest(fork.high, depth + 1))
        return store(fork, at: part)
    }

    private mutating func store(_ fork: Fork, at part: Part) -> Part {
        if part.isFork {
            forks[Int(part.number)] = fork
            return part
        }
        if let number = unused.popLast() {
            forks[Int(number)] = fork
            return Part(number: number)
        }
        forks.append(fork)
        return Part(number: Int32(forks.count - 1))
    }

    private mutating func discard(_ part: Part) {
        guard part.isFork else { return }
        let fork = forks[Int(part.number)]
        unused.append(part.number)
        discard(fork.low)
        discard(fork.high)
    }
}
