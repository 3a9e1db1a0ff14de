/// A rule set: the kernel's, or one in memory.
public protocol NFTablesConnection: ~Copyable {
    /// Makes all changes of a transaction, or none.
    mutating func commit(_ transaction: Transaction, ifGeneration generation: UInt32?) throws(NFTablesError)
    /// The generation of the rule set.
    mutating func generation() throws(NFTablesError) -> UInt32
    /// All tables.
    mutating func tables() throws(NFTablesError) -> [Table]
    /// The chains of a table.
    mutating func chains(of table: Table) throws(NFTablesError) -> [Chain]
    /// The rules of a table, or of one of its chains, in order.
    mutating func rules(of table: Table, chain: String?) throws(NFTablesError) -> [RuleEntry]
    /// The named sets and maps of a table.
    mutating func sets(of table: Table) throws(NFTablesError) -> [NamedSet]
    /// The elements of a set.
    mutating func elements(of table: Table, set: String) throws(NFTablesError) -> [Element]
}

extension NFTablesSocket: NFTablesConnection {}
