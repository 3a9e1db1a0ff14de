/// Numbers from zero to a size, given out one by one; costs memory only for those in use.
///
/// The low numbers are left to those who ask for a certain one (KEP-3070, KEP-3668): automatic choice prefers the rest.
package struct SparseAllocator: Sendable, Equatable {
    /// How many numbers there are.
    package let count: UInt128
    /// How many of the first ones automatic choice avoids while it can.
    package let staticCount: UInt128
    private var used: Set<UInt128> = []

    /// Starts with all numbers free.
    package init(count: UInt128, staticCount: UInt128) {
        self.count = count
        self.staticCount = min(staticCount, count)
    }

    /// Whether a number is taken.
    package func contains(_ number: UInt128) -> Bool { used.contains(number) }

    /// How many numbers are taken.
    package var usedCount: Int { used.count }

    /// Takes a certain number; false when it is taken already.
    package mutating func take(_ number: UInt128) -> Bool { used.insert(number).inserted }

    /// Takes a free number: the next one after a random start in the upper band, else in the lower; nil when all are taken.
    ///
    /// O(1 + numbers in use) at worst.
    package mutating func takeAny(using generator: inout some RandomNumberGenerator) -> UInt128? {
        for band in [staticCount..<count, 0..<staticCount] where !band.isEmpty {
            let size = band.upperBound - band.lowerBound
            let start = UInt128.random(in: 0..<size, using: &generator)
            var step: UInt128 = 0
            while step < size {
                let number = band.lowerBound + (start + step) % size
                if used.insert(number).inserted { return number }
                step += 1
            }
        }
        return nil
    }

    /// Gives a number back.
    package mutating func release(_ number: UInt128) { used.remove(number) }
}
