public import Addresses

/// A block that a node has.
public struct HeldBlock: Sendable, Hashable {
    /// How full a block is, as the node says.
    public struct Usage: Sendable, Hashable {
        /// Addresses that pods have.
        public let used: Int
        /// Addresses that pods can have.
        public let capacity: Int
        /// Whether the node gives no more addresses of the block.
        public let isReleasing: Bool

        /// Describes a report.
        public init(used: Int, capacity: Int, isReleasing: Bool = false) {
            self.used = used
            self.capacity = capacity
            self.isReleasing = isReleasing
        }

        /// Addresses that pods can still get.
        var free: Int { max(0, capacity - used) }
    }

    /// The block.
    public let block: IPPrefix
    /// The pool it comes from; nil for one that lies in no pool.
    public let pool: String?
    /// Whether it stands in the node's `podCIDRs`, and so stays for as long as the node.
    public let isPermanent: Bool
    /// Whether pods shall get no more addresses of it.
    public var isReleasing: Bool
    /// What the node says of it; nil as long as it says nothing.
    public var usage: Usage?

    /// Describes a block.
    public init(
        _ block: IPPrefix, pool: String?, isPermanent: Bool = false, isReleasing: Bool = false, usage: Usage? = nil
    ) {
        self.block = block
        self.pool = pool
        self.isPermanent = isPermanent
        self.isReleasing = isReleasing
        self.usage = usage
    }
}
