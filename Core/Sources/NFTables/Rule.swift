/// A rule: expressions that a packet runs through until one does not match or decides.
public struct Rule: Hashable, Sendable {
    /// The table that the chain belongs to.
    public let table: Table
    /// The chain's name.
    public let chain: String
    /// What the rule does, in order.
    public let expressions: [Expression]
    /// A text that the kernel keeps with the rule; at most 127 bytes.
    public var comment: String?
    /// A text that the kernel keeps as well, and that neither nft nor iptables shows or compares; at most 127 bytes.
    public var owner: String?

    /// Describes a rule.
    public init(
        table: Table, chain: String, comment: String? = nil, owner: String? = nil, _ expressions: [Expression]
    ) {
        self.table = table
        self.chain = chain
        self.expressions = expressions
        self.comment = comment
        self.owner = owner
    }

    /// The rule with a comment that is the same for the same rule only.
    ///
    /// Reading rules back, a component recognises its own by it: "duet" and 16 hexadecimal digits of FNV-1a over the
    /// text of the expressions.
    public func stamped() -> Rule {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in expressions.map(\.description).joined(separator: " ").utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        var copy = self
        copy.comment = "duet \(String(repeating: "0", count: 16 - digits.count))\(digits)"
        return copy
    }
}

extension Rule: CustomStringConvertible {
    /// The table, the chain, and the expressions the way `nft --debug=netlink` shows them.
    public var description: String {
        "\(table) \(chain) \(expressions.map(\.description).joined(separator: " "))"
            + (comment.map { " comment \"\($0)\"" } ?? "")
    }
}

/// A rule that the kernel has.
public struct RuleEntry: Hashable, Sendable {
    /// The table that the chain belongs to.
    public let table: Table
    /// The chain's name.
    public let chain: String
    /// What names the rule when it is to be deleted.
    public let handle: UInt64
    /// The text that was stored with it.
    public let comment: String?
    /// The text that was stored for its owner.
    public let owner: String?
    /// Its expressions as they are on the wire.
    let content: [UInt8]
}
