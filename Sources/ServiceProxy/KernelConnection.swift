package import Addresses
package import Conntrack
package import NFTables

/// What the proxy asks of a kernel: of the real one, or of one in memory that can be made to refuse.
package protocol KernelConnection: AnyObject {
    /// Makes all changes of a transaction, or none.
    func commit(_ transaction: Transaction) throws
    /// The generation of the rule set.
    func generation() throws -> UInt32
    /// The chains of a table.
    func chains(of table: Table) throws -> [Chain]
    /// The rules of a table, in the order of each chain.
    func rules(of table: Table) throws -> [RuleEntry]
    /// The sets and maps of a table.
    func sets(of table: Table) throws -> [NamedSet]
    /// The elements of a set.
    func elements(of table: Table, set: String) throws -> [Element]
    /// Forgets the connections that are picked, and says how many there were.
    func forgetFlows(_ family: IPFamily, where isStale: (ConntrackEntry) -> Bool) throws -> Int
}

/// The kernel, in the network namespace of the thread that opens the sockets.
package final class LinuxConnection: KernelConnection {
    private var rules: NFTablesSocket
    private var flows: ConntrackSocket

    package init() throws {
        rules = try NFTablesSocket()
        flows = try ConntrackSocket()
    }

    package func commit(_ transaction: Transaction) throws { try rules.commit(transaction) }
    package func generation() throws -> UInt32 { try rules.generation() }
    package func chains(of table: Table) throws -> [Chain] { try rules.chains(of: table) }
    package func rules(of table: Table) throws -> [RuleEntry] { try rules.rules(of: table) }
    package func sets(of table: Table) throws -> [NamedSet] { try rules.sets(of: table) }
    package func elements(of table: Table, set: String) throws -> [Element] {
        try rules.elements(of: table, set: set)
    }
    package func forgetFlows(_ family: IPFamily, where isStale: (ConntrackEntry) -> Bool) throws -> Int {
        try flows.deleteEntries(family, where: isStale)
    }
}
