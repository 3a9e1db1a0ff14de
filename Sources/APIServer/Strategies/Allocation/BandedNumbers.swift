/// Numbers from zero to a size, the first of which are left to those who ask for a certain one (KEP-3070, KEP-3668).
package struct BandedNumbers: Sendable, Equatable {
    /// How many numbers there are.
    package let count: UInt128
    /// How many of the first ones automatic choice avoids while it can.
    package let staticCount: UInt128

    /// Describes a range of numbers.
    package init(count: UInt128, staticCount: UInt128) {
        self.count = count
        self.staticCount = min(staticCount, count)
    }

    /// A free number: the next one after a random start in the upper band, else in the lower; nil when all are taken.
    ///
    /// O(1 + numbers in use) at worst.
    package func choose(
        using generator: inout some RandomNumberGenerator, isTaken: (UInt128) -> Bool
    ) -> UInt128? {
        for band in [staticCount..<count, 0..<staticCount] where !band.isEmpty {
            let size = band.upperBound - band.lowerBound
            let start = UInt128.random(in: 0..<size, using: &generator)
            var step: UInt128 = 0
            while step < size {
                let number = band.lowerBound + (start + step) % size
                if !isTaken(number) { return number }
                step += 1
            }
        }
        return nil
    }
}
