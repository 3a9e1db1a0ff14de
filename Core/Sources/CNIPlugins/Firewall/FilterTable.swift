import Addresses
import NFTables

/// The `filter` table of a family, which iptables and the reference plugin share with this one.
struct FilterTable {
    /// The first chain of isolation.
    static let firstStage = "CNI-ISOLATION-STAGE-1"
    /// The second chain of isolation.
    static let secondStage = "CNI-ISOLATION-STAGE-2"

    /// The table.
    static func table(_ family: IPFamily) -> Table { Table(family: Table.Family(family), name: "filter") }

    private let family: IPFamily
    private let chains: Set<String>
    private let rules: [RuleEntry]

    /// Reads the table; one that is not there holds nothing.
    init(_ family: IPFamily, _ socket: inout some NFTablesConnection & ~Copyable) throws(NFTablesError) {
        self.family = family
        let table = Self.table(family)
        chains = Set(try socket.chains(of: table).map(\.name))
        rules = chains.isEmpty ? [] : try socket.rules(of: table, chain: nil)
    }

    /// Whether a rule is there.
    func contains(_ rule: FilterRule) -> Bool { !handles(rule).isEmpty }

    /// The changes that add what is missing: some rules at the beginning of their chains, in order of insertion, and
    /// some at the end.
    func addition(chains names: [String], first: [FilterRule], last: [FilterRule]) -> Transaction {
        let table = Self.table(family)
        var transaction = Transaction([.addTable(table)])
        // A chain that is there keeps its policy.
        for name in ["FORWARD"] + names where !chains.contains(name) {
            let base = name == "FORWARD" ? Chain.Base(.filter, .forward, priority: Chain.Priority.filter) : nil
            transaction.append(.addChain(Chain(table: table, name: name, base: base)))
        }
        for rule in first where !contains(rule) { transaction.append(.insertRule(rule.rule(family))) }
        for rule in last where !contains(rule) { transaction.append(.addRule(rule.rule(family))) }
        return transaction
    }

    /// The changes that remove rules; those that are not there need none.
    func removal(of rules: [FilterRule]) -> Transaction {
        Transaction(
            rules.flatMap { rule in
                handles(rule).map { .deleteRule(Self.table(family), chain: rule.chain, handle: $0) }
            })
    }

    private func handles(_ rule: FilterRule) -> [UInt64] {
        let wanted = rule.rule(family)
        return rules.filter { $0.chain == rule.chain && $0.does(wanted) }.map(\.handle)
    }
}
