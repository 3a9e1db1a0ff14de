import Addresses
import NFTables

extension Masquerade {
    /// The table that the reference plugins use too.
    static let table = Table(family: .inet, name: "cni_plugins_masquerade")

    /// The chain that holds the rules of attachments.
    static let checks = "masq_checks"

    private static let hook = "postrouting"

    /// The changes that add an attachment's rules; what all attachments share is made anew in the same transaction.
    static func addition(of addresses: [InterfaceAddress], comment: String) -> Transaction {
        let base = Chain.Base(.nat, .postrouting, priority: Chain.Priority.sourceNAT)
        var transaction = Transaction([
            .addTable(table), .addChain(Chain(table: table, name: checks)),
            .addChain(Chain(table: table, name: hook, base: base)), .flushChain(table, hook),
        ])
        for family in IPFamily.allCases {
            transaction.append(
                .addRule(
                    Rule(
                        table: table, chain: hook,
                        match(multicast(family), .destination, .equal) + [.verdict(.return)])))
        }
        transaction.append(.addRule(Rule(table: table, chain: hook, [.verdict(.goto(checks))])))
        for address in addresses {
            let own = IPPrefix(address.address, length: address.address.family.bitWidth)
            transaction.append(
                .addRule(
                    Rule(
                        table: table, chain: checks, comment: comment,
                        match(own, .source, .equal) + match(address.prefix, .destination, .notEqual)
                            + [.masquerade()])))
        }
        return transaction
    }

    /// Goes on when an address of the packet is in a prefix, or is not.
    private static func match(
        _ prefix: IPPrefix, _ field: Expression.AddressField, _ comparison: Expression.Comparison
    ) -> [Expression] {
        Expression.isFamily(prefix.family) + Expression.address(field, comparison, in: prefix)
    }

    /// All multicast addresses of a family (RFC 5771, RFC 4291 §2.7).
    private static func multicast(_ family: IPFamily) -> IPPrefix {
        switch family {
        case .ipv4: IPPrefix(.v4(IPv4Address(rawValue: 0xE000_0000)), length: 4)
        case .ipv6: IPPrefix(.v6(IPv6Address(rawValue: 0xFF << 120)), length: 8)
        }
    }
}
