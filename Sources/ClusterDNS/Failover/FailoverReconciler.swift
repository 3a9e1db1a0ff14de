internal import Linux
package import NFTables

/// Makes the kernel's table for DNS what a plan says; what is there and right is adopted.
package struct FailoverReconciler<Kernel: NFTablesConnection & ~Copyable>: ~Copyable {
    private var kernel: Kernel
    /// Whether the kernel's rules can see sockets: true until it refuses such a rule.
    package private(set) var usesSockets = true
    /// The plan as of which the table was found whole, and the rule set's generation then.
    private var whole: (plan: FailoverPlan, generation: UInt32)?

    /// Works on a rule set.
    package init(_ kernel: consuming Kernel) { self.kernel = kernel }

    /// Compares the table with the plan and changes what differs; nearly free while nobody changes the rule set.
    ///
    /// - Returns: whether anything was changed.
    @discardableResult
    package mutating func apply(_ plan: FailoverPlan) throws(NFTablesError) -> Bool {
        let generation = try kernel.generation()
        if let whole, whole == (plan, generation) { return false }
        whole = nil
        let isChanged = try bringAbout(plan)
        // After a change the next call looks once more: somebody else may have changed something meanwhile.
        if !isChanged { whole = (plan, generation) }
        return isChanged
    }

    private mutating func bringAbout(_ plan: FailoverPlan) throws(NFTablesError) -> Bool {
        guard !plan.addresses.isEmpty else { return try remove() }
        guard try hasShape(plan) else {
            try rebuild(plan)
            return true
        }
        var present: [String: Set<Element>] = [:]
        for set in plan.elements.keys { present[set] = Set(try kernel.elements(of: FailoverTable.table, set: set)) }
        let changes = plan.changes(from: present)
        try kernel.commit(changes, ifGeneration: nil)
        return !changes.isEmpty
    }

    /// Whether sets, chains and rules are those of the plan.
    private mutating func hasShape(_ plan: FailoverPlan) throws(NFTablesError) -> Bool {
        let table = FailoverTable.table
        let rules = FailoverTable.rules(port: plan.port, usesSockets: usesSockets)
        guard try Set(kernel.chains(of: table)) == Set(FailoverTable.chains),
            try Set(kernel.sets(of: table)) == Set(FailoverTable.sets)
        else { return false }
        for chain in FailoverTable.chains {
            let present = try kernel.rules(of: table, chain: chain.name).map(\.comment)
            guard present == rules.filter({ $0.chain == chain.name }).map(\.comment) else { return false }
        }
        return true
    }

    private mutating func rebuild(_ plan: FailoverPlan) throws(NFTablesError) {
        do throws(NFTablesError) {
            try kernel.commit(plan.rebuilding(usesSockets: usesSockets), ifGeneration: nil)
        } catch {
            // A kernel without the expression does not know its name.
            guard usesSockets, error.errno == .noEntry || error.errno == .notSupported else { throw error }
            usesSockets = false
            try kernel.commit(plan.rebuilding(usesSockets: false), ifGeneration: nil)
        }
    }

    /// Removes the table; false if there is none.
    @discardableResult
    package mutating func remove() throws(NFTablesError) -> Bool {
        guard try kernel.tables().contains(FailoverTable.table) else { return false }
        try kernel.commit(Transaction([.deleteTable(FailoverTable.table)]), ifGeneration: nil)
        return true
    }
}

/// What is in the kernel for a node's queries while its server is away.
public enum FailoverRules {
    /// Removes it, in the namespace of the calling thread; false if there is nothing.
    public static func remove() throws -> Bool {
        var reconciler = FailoverReconciler(try NFTablesSocket())
        return try reconciler.remove()
    }
}
