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
    func contains(_ rule: FilterRule) -> Bool { !matches(rule).isEmpty }

    /// The changes that add what is missing: some rules at the beginning of their chains, in order of insertion, and
    /// some at the end.
    ///
    /// - Parameter owner: whom the rules at the end are for; what another one has left of them becomes this one's.
    func addition(
        chains names: [String], first: [FilterRule], last: [FilterRule], owner: String? = nil
    ) -> Transaction {
        let table = Self.table(family)
        var transaction = Transaction([.addTable(table)])
        // A chain that is there keeps its policy.
        for name in ["FORWARD"] + names where !chains.contains(name) {
            let base = name == "FORWARD" ? Chain.Base(.filter, .forward, priority: Chain.Priority.filter) : nil
            transaction.append(.addChain(Chain(table: table, name: name, base: base)))
        }
        for rule in first where !contains(rule) { transaction.append(.insertRule(rule.rule(family))) }
        for rule in last {
            let others = matches(rule).filter { $0.owner != nil && $0.owner != owner }
            guard !contains(rule) || !others.isEmpty else { continue }
            transaction.append(contentsOf: removal(of: others))
            transaction.append(.addRule(rule.rule(family, owner: owner)))
        }
        return transaction
    }

    /// The changes that remove the rules of owners that are gone, and such rules as nobody owns; those that are not there
    /// need none.
    func removal(of unwanted: [FilterRule] = [], where isObsolete: (String) -> Bool) -> Transaction {
        let unwanted = unwanted.map { ($0.chain, $0.rule(family)) }
        return removal(
            of: rules.filter { entry in
                entry.owner.map(isObsolete) ?? unwanted.contains { $0.0 == entry.chain && entry.does($0.1) }
            })
    }

    private func removal(of entries: [RuleEntry]) -> Transaction {
        Transaction(entries.map { .deleteRule($0.table, chain: $0.chain, handle: $0.handle) })
    }

    private func matches(_ rule: FilterRule) -> [RuleEntry] {
        let wanted = rule.rule(family)
        return rules.filter { $0.chain == rule.chain && $0.does(wanted) }
    }
}
