internal import NFTables

/// What `duet agent` has written to the kernel for Services.
package enum ServiceRules {
    /// Removes it, in the namespace of the calling thread, and says how many tables there were; another proxy should be
    /// at work already.
    @discardableResult
    package static func remove() throws -> Int {
        // Calls first: what leads them must not outlive the tables that it follows.
        _ = try ConnectTimeBalancer.removeLeftovers()
        var socket = try NFTablesSocket()
        let tables = try socket.tables().filter { $0.name == TableLayout.tableName }
        // New connections first: what was led before is still to be masqueraded.
        var entrances = Transaction()
        for table in tables {
            for chain in try socket.chains(of: table) where chain.leadsToServices {
                entrances.append(.deleteChain(table, chain.name))
            }
        }
        try socket.commit(entrances)
        PacketsInFlight.wait()
        try socket.commit(Transaction(tables.map { .deleteTable($0) }))
        _ = try TranslationDevice.remove()
        return tables.count
    }
}

extension Chain {
    /// Whether the kernel asks the chain where a new connection goes to.
    fileprivate var leadsToServices: Bool {
        guard let base else { return false }
        return base.kind == .nat && (base.hook == .prerouting || base.hook == .output)
    }
}
