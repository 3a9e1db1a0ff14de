internal import NFTables

/// Takes tables of Services away so that no connection is refused by rules whose maps are gone, see `PacketsInFlight`.
enum TableRemoval {
    /// Removes those of the tables that there are, and says how many.
    ///
    /// New connections are let go first: what was led before is still to be masqueraded.
    @discardableResult
    static func remove(_ tables: [Table], from kernel: any KernelConnection) throws -> Int {
        var present: [Table] = []
        var entrances = Transaction()
        for table in tables {
            let chains = try kernel.chains(of: table)
            guard !chains.isEmpty else { continue }
            present.append(table)
            for chain in chains where chain.leadsToServices { entrances.append(.deleteChain(table, chain.name)) }
        }
        guard !present.isEmpty else { return 0 }
        try kernel.commit(entrances)
        PacketsInFlight.wait()
        try kernel.commit(Transaction(present.map { .deleteTable($0) }))
        return present.count
    }
}

extension Chain {
    /// Whether the kernel asks the chain where a new connection goes to.
    fileprivate var leadsToServices: Bool {
        guard let base else { return false }
        return base.kind == .nat && (base.hook == .prerouting || base.hook == .output)
    }
}
