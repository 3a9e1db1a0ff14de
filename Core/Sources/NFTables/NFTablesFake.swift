public import Linux

/// A rule set in memory that takes and refuses transactions as the kernel does; no packet runs through it.
public struct NFTablesFake: NFTablesConnection, Sendable {
    /// The transactions that were committed, in order.
    public private(set) var committed: [Transaction] = []
    /// When set, the next transaction is refused with it.
    public var nextFailure: Errno?
    var contents: [Table: FakeTable] = [:]
    private var currentGeneration: UInt32 = 1
    private var nextHandle: UInt64 = 1

    /// An empty rule set.
    public init() {}

    /// Makes all changes of a transaction, or none.
    public mutating func commit(
        _ transaction: Transaction, ifGeneration generation: UInt32? = nil
    ) throws(NFTablesError) {
        guard !transaction.isEmpty else { return }
        if let failure = nextFailure {
            nextFailure = nil
            throw NFTablesError(failure, "commit transaction")
        }
        if let generation, generation != currentGeneration { throw NFTablesError(.restart, "commit transaction") }
        var copy = self
        for (index, operation) in transaction.operations.enumerated() {
            do throws(Errno) {
                try copy.apply(operation)
            } catch {
                throw NFTablesError(error, operation.description, index: index)
            }
        }
        copy.currentGeneration += 1
        copy.committed.append(transaction)
        self = copy
    }

    /// The generation of the rule set.
    public func generation() -> UInt32 {
        currentGeneration
    }

    /// All tables.
    public func tables() -> [Table] {
        Array(contents.keys)
    }

    /// The chains of a table.
    public func chains(of table: Table) -> [Chain] {
        (contents[table]?.chains.values).map { $0.map(\.chain) } ?? []
    }

    /// The rules of a table, or of one of its chains, in order.
    public func rules(of table: Table, chain: String? = nil) -> [RuleEntry] {
        guard let content = contents[table] else { return [] }
        let chains = chain.map { name in content.chains.filter { $0.key == name } } ?? content.chains
        return chains.values.flatMap { chain in
            chain.rules.map { handle, rule in
                RuleEntry(
                    table: table, chain: rule.chain, handle: handle, comment: rule.comment,
                    owner: rule.owner, content: rule.encodedExpressions)
            }
        }
    }

    /// The named sets and maps of a table.
    public func sets(of table: Table) -> [NamedSet] {
        (contents[table]?.sets.values).map { $0.map(\.set) } ?? []
    }

    /// The elements of a set.
    public func elements(of table: Table, set: String) -> [Element] {
        (contents[table]?.sets[set]?.elements.values).map(Array.init) ?? []
    }

    mutating func makeHandle() -> UInt64 {
        defer { nextHandle += 1 }
        return nextHandle
    }
}

/// A table in memory.
struct FakeTable: Sendable {
    struct Chains: Sendable {
        let chain: Chain
        var rules: [(handle: UInt64, rule: Rule)] = []
    }

    struct Elements: Sendable {
        struct Identity: Hashable, Sendable {
            let key: Key
            let lastKey: Key?
            let isRangeEnd: Bool
        }

        let set: NamedSet
        var elements: [Identity: Element] = [:]
    }

    var chains: [String: Chains] = [:]
    var sets: [String: Elements] = [:]
}
