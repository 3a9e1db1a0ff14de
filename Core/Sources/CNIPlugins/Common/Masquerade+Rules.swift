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

    private enum Field {
        case source, destination
    }

    /// Goes on when an address of the packet is in a prefix, or is not.
    private static func match(
        _ prefix: IPPrefix, _ field: Field, _ comparison: Expression.Comparison
    ) -> [Expression] {
        let family = prefix.family
        let protocolNumber: UInt8 = Table.Family(family).rawValue
        // RFC 791 §3.1 and RFC 8200 §3: where the addresses stand in the header.
        let source: UInt32 = family == .ipv4 ? 12 : 8
        let length = UInt32(family.byteCount)
        var expressions: [Expression] = [
            .meta(.networkProtocol, Register(0)), .compare(Register(0), .equal, [protocolNumber]),
            .payload(.network, offset: field == .source ? source : source + length, length: length, Register(0)),
        ]
        if prefix.hostBits > 0 {
            let zero = [UInt8](repeating: 0, count: family.byteCount)
            expressions.append(.bitwise(Register(0), mask: prefix.mask.bytes, xor: zero, Register(0)))
        }
        return expressions + [.compare(Register(0), comparison, prefix.address.bytes)]
    }

    /// All multicast addresses of a family (RFC 5771, RFC 4291 §2.7).
    private static func multicast(_ family: IPFamily) -> IPPrefix {
        switch family {
        case .ipv4: IPPrefix(.v4(IPv4Address(rawValue: 0xE000_0000)), length: 4)
        case .ipv6: IPPrefix(.v6(IPv6Address(rawValue: 0xFF << 120)), length: 8)
        }
    }
}
