internal import CLinux

/// A chain of rules; a base chain hooks into the path of packets, others are jumped to.
public struct Chain: Hashable, Sendable {
    /// What the rules of a base chain may do.
    public enum Kind: String, Sendable, Hashable {
        /// Accept, drop, count.
        case filter
        /// Translate addresses; sees the first packet of a connection only.
        case nat
        /// As filter, and route again after a change.
        case route
    }

    /// Where a base chain stands in the path of packets.
    public enum Hook: UInt32, Sendable, Hashable {
        /// All that comes in.
        case prerouting = 0
        /// What is for this host.
        case input = 1
        /// What passes through.
        case forward = 2
        /// What this host sends.
        case output = 3
        /// All that goes out.
        case postrouting = 4
    }

    /// What makes a chain a base chain.
    public struct Base: Hashable, Sendable {
        /// What its rules may do.
        public var kind: Kind
        /// Where it stands.
        public var hook: Hook
        /// Its place among the chains of the hook; lower ones come first.
        public var priority: Int32
        /// Whether a packet that no rule decides is dropped.
        public var dropsByDefault: Bool

        /// Describes a base chain.
        public init(_ kind: Kind, _ hook: Hook, priority: Int32, dropsByDefault: Bool = false) {
            self.kind = kind
            self.hook = hook
            self.priority = priority
            self.dropsByDefault = dropsByDefault
        }
    }

    /// Standard places of base chains (linux/netfilter_ipv4.h, the same in both families).
    public enum Priority {
        /// Before fragments are put together.
        public static let rawBeforeDefragmentation: Int32 = -450
        /// Before connection tracking.
        public static let raw: Int32 = -300
        /// Marks and changes.
        public static let mangle: Int32 = -150
        /// Translation of destinations.
        public static let destinationNAT: Int32 = -100
        /// Filters.
        public static let filter: Int32 = 0
        /// Translation of sources.
        public static let sourceNAT: Int32 = 100
    }

    /// The table that it belongs to.
    public let table: Table
    /// The name, unique within the table.
    public let name: String
    /// What makes it a base chain; `nil` for one that is jumped to.
    public let base: Base?

    /// Describes a chain.
    public init(table: Table, name: String, base: Base? = nil) {
        self.table = table
        self.name = name
        self.base = base
    }
}

extension Chain: CustomStringConvertible {
    /// The way nft writes it.
    public var description: String {
        guard let base else { return "\(table) \(name)" }
        return "\(table) \(name) { type \(base.kind.rawValue) hook \(base.hook) priority \(base.priority); "
            + "policy \(base.dropsByDefault ? "drop" : "accept"); }"
    }
}
