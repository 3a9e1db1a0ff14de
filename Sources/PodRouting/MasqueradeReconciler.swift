package import Addresses
internal import Linux
package import NFTables

/// Makes the kernel's masquerade table what a plan says.
package struct MasqueradeReconciler: ~Copyable {
    private var socket: NFTablesSocket
    /// What each set holds; `nil` when the table must be compared as a whole.
    private var installed: [String: Set<IPPrefix>]?
    /// The generation of the kernel's rule set at which the table was found whole.
    private var wholeGeneration: UInt32?

    /// Works in the network namespace of the calling thread.
    package init() throws(NFTablesError) {
        socket = try NFTablesSocket()
    }

    /// Makes some prefixes stand where the plan has them; the first time, and after a failure, the table is compared as a
    /// whole.
    ///
    /// Returns whether anything was changed.
    @discardableResult
    package mutating func apply(_ plan: MasqueradePlan, to prefixes: Set<IPPrefix>) throws(NFTablesError) -> Bool {
        guard var sets = installed.take() else { return try audit(plan) }
        var removal = Transaction()
        var addition = Transaction()
        let touched = prefixes.sorted()
        for set in MasqueradePlan.sets.map(\.name) {
            let surplus = touched.filter { sets[set]?.contains($0) == true && !plan.holds($0, in: set) }
            let missing = touched.filter { sets[set]?.contains($0) != true && plan.holds($0, in: set) }
            removal.append(.deleteElements(MasqueradePlan.table, set: set, surplus.flatMap { Element.range($0) }))
            addition.append(.addElements(MasqueradePlan.table, set: set, missing.flatMap { Element.range($0) }))
            sets[set, default: []].subtract(surplus)
            sets[set, default: []].formUnion(missing)
        }
        // A range may only be added once those inside it are gone.
        let transaction = Transaction(removal.operations + addition.operations)
        if !transaction.isEmpty { try socket.commit(transaction) }
        installed = sets
        return !transaction.isEmpty
    }

    /// Compares the kernel's table with the plan and builds it anew when they differ; one that is equal is adopted.
    @discardableResult
    package mutating func audit(_ plan: MasqueradePlan) throws(NFTablesError) -> Bool {
        installed = nil
        let wanted = Dictionary(
            uniqueKeysWithValues: MasqueradePlan.sets.map { ($0.name, plan.prefixes(in: $0.name)) })
        let isEqual = try matches(wanted)
        if !isEqual { try socket.commit(plan.rebuilding()) }
        installed = wanted
        return !isEqual
    }

    /// Compares the table with the plan if anybody has changed any since it was found whole; returns whether it had to be
    /// built anew.
    package mutating func keep(_ plan: MasqueradePlan) throws(NFTablesError) -> Bool {
        let generation = try socket.generation()
        if generation == wholeGeneration { return false }
        // What is built anew now counts as whole once it was looked at again.
        let isRebuilt = try audit(plan)
        wholeGeneration = isRebuilt ? nil : generation
        return isRebuilt
    }

    private mutating func matches(_ wanted: [String: Set<IPPrefix>]) throws(NFTablesError) -> Bool {
        let table = MasqueradePlan.table
        guard try socket.chains(of: table) == [MasqueradePlan.chain],
            try socket.rules(of: table).map(\.comment) == MasqueradePlan.rules.map(\.comment),
            try Set(socket.sets(of: table)) == Set(MasqueradePlan.sets)
        else { return false }
        for (set, prefixes) in wanted {
            let elements = Set(prefixes.flatMap { Element.range($0) })
            guard try Set(socket.elements(of: table, set: set)) == elements else { return false }
        }
        return true
    }
}
