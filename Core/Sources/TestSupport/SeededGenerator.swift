/// A random number generator whose sequence its seed decides (SplitMix64), for tests that print the seed on which they fail.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    /// What the sequence began with.
    public let seed: UInt64
    private var state: UInt64

    /// Starts the sequence of a seed.
    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
