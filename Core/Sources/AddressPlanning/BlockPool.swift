public import Addresses

/// Prefixes from which nodes get blocks.
public struct BlockPool: Sendable, Hashable {
    /// One prefix of a pool.
    public struct Source: Sendable, Hashable {
        /// The prefix.
        public let prefix: IPPrefix
        /// Whether it shall become empty: no new blocks, and those that are out come back.
        public let isDraining: Bool

        /// Describes a prefix.
        public init(_ prefix: IPPrefix, isDraining: Bool = false) {
            self.prefix = prefix
            self.isDraining = isDraining
        }
    }

    /// The name.
    public let name: String
    /// The prefixes in the order of their use.
    public let sources: [Source]
    /// The prefix length of a block by family.
    public let blockLengths: [IPFamily: Int]

    /// Describes a pool.
    public init(name: String, sources: [Source], blockLengths: [IPFamily: Int]) {
        self.name = name
        self.sources = sources
        self.blockLengths = blockLengths
    }

    /// The families of its prefixes.
    public var families: Set<IPFamily> { Set(sources.map(\.prefix.family)) }

    /// The number of blocks that a prefix holds, at most 2^128 - 1; 0 when a block is larger than the prefix.
    public func capacity(of prefix: IPPrefix) -> UInt128 {
        guard let length = blockLengths[prefix.family], length >= prefix.length else { return 0 }
        return length - prefix.length == 128 ? .max : 1 << UInt128(length - prefix.length)
    }

    /// The addresses of a block of each family as powers of two, IPv4 first; pools of smaller blocks come first.
    var hostBits: [Int] {
        IPFamily.allCases.map { family in blockLengths[family].map { family.bitWidth - $0 } ?? 0 }
    }
}
