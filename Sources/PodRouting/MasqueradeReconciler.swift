internal import Linux
package import NFTables

/// Makes the kernel's masquerade table what a plan says.
package struct MasqueradeReconciler: ~Copyable {
    private var socket: NFTablesSocket
    private var installed: MasqueradePlan?

    /// Works in the network namespace of the calling thread.
    package init() throws(NFTablesError) {
        socket = try NFTablesSocket()
    }

    /// Applies what differs from the plan before; the first time, and after a failure, the table is compared as a whole.
    ///
    /// Returns whether anything was changed.
    @discardableResult
    package mutating func apply(_ plan: MasqueradePlan) throws(NFTablesError) -> Bool {
        guard let installed else { return try audit(plan) }
        guard installed != plan else { return false }
        self.installed = nil
        try socket.commit(MasqueradePlan.difference(from: installed, to: plan))
        self.installed = plan
        return true
    }

    /// Compares the kernel's table with the plan and builds it anew when they differ; one that is equal is adopted.
    @discardableResult
    package mutating func audit(_ plan: MasqueradePlan) throws(NFTablesError) -> Bool {
        installed = nil
        let isEqual = try matches(plan)
        if !isEqual { try socket.commit(plan.rebuilding()) }
        installed = plan
        return !isEqual
    }

    private mutating func matches(_ plan: MasqueradePlan) throws(NFTablesError) -> Bool {
        let table = MasqueradePlan.table
        guard try socket.chains(of: table) == [MasqueradePlan.chain],
            try socket.rules(of: table).map(\.comment) == MasqueradePlan.rules.map(\.comment),
            try Set(socket.sets(of: table)) == Set(MasqueradePlan.sets)
        else { return false }
        for set in MasqueradePlan.sets {
            let wanted = Set(plan.prefixes(in: set.name).flatMap { Element.range($0) })
            guard try Set(socket.elements(of: table, set: set.name)) == wanted else { return false }
        }
        return true
    }
}
