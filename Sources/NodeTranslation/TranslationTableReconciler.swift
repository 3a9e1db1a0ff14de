package import Addresses
internal import Linux
package import NFTables

/// Keeps the kernel's table what it has to be.
package struct TranslationTableReconciler: ~Copyable {
    private var socket: NFTablesSocket
    private let ranges: TranslationTable.Ranges
    /// Whether the table holds what it had to; false when it must be compared as a whole.
    private var isKnown = false

    /// Works in the network namespace of the calling thread.
    package init(ranges: TranslationTable.Ranges) throws(NFTablesError) {
        socket = try NFTablesSocket()
        self.ranges = ranges
    }

    /// The private addresses that an earlier process has given out.
    package mutating func adopted() throws(NFTablesError) -> [IPv4Address: PrivateAddresses.Owner] {
        var owners: [IPv4Address: PrivateAddresses.Owner] = [:]
        for (set, purpose) in [
            (TranslationTable.SetName.translated, PrivateAddresses.Purpose.translated), (.clat, .clat),
        ] {
            let elements = try socket.elements(of: TranslationTable.table, set: set.rawValue)
            for (address, pod) in TranslationTable.pods(elements) { owners[address] = .init(pod, purpose) }
        }
        return owners
    }

    /// Applies a change of the content; the first time, and after a failure, the table is compared as a whole.
    ///
    /// - Complexity: that of what has changed since the last call.
    package mutating func apply(_ content: inout TranslationTable.Content) throws(NFTablesError) {
        guard isKnown else {
            try audit(&content)
            return
        }
        isKnown = false
        let transaction = content.takeChange().transaction
        if !transaction.isEmpty { try socket.commit(transaction) }
        isKnown = true
    }

    /// Compares the table and builds it anew where it differs; false when it was as it has to be.
    @discardableResult
    package mutating func audit(_ content: inout TranslationTable.Content) throws(NFTablesError) -> Bool {
        isKnown = false
        _ = content.takeChange()
        let isEqual = try matches(content)
        if !isEqual { try socket.commit(TranslationTable.rebuilding(ranges, content)) }
        isKnown = true
        return !isEqual
    }

    private mutating func matches(_ content: TranslationTable.Content) throws(NFTablesError) -> Bool {
        let table = TranslationTable.table
        guard try Set(socket.chains(of: table)) == Set(TranslationTable.chains),
            try Dictionary(grouping: socket.rules(of: table), by: \.chain).mapValues({ $0.map(\.comment) })
                == Dictionary(grouping: TranslationTable.rules(ranges).map(\.rule), by: \.chain)
                .mapValues({ $0.map(\.comment) }),
            try Set(socket.sets(of: table)) == Set(TranslationTable.sets)
        else { return false }
        for set in TranslationTable.SetName.allCases {
            let elements = try Set(socket.elements(of: table, set: set.rawValue))
            guard elements == Set(TranslationTable.elements(content, set)) else { return false }
        }
        return true
    }

    /// What the rules have counted since the table was built.
    mutating func figures() throws(NFTablesError) -> [TranslationTable.Figure: (packets: UInt64, bytes: UInt64)] {
        var figures: [TranslationTable.Figure: (packets: UInt64, bytes: UInt64)] = [:]
        let counting = TranslationTable.rules(ranges).filter { $0.figure != nil }
        for entry in try socket.rules(of: TranslationTable.table) {
            guard
                let own = counting.first(where: { $0.rule.chain == entry.chain && $0.rule.comment == entry.comment }),
                let figure = own.figure, let count = entry.count
            else { continue }
            // Some are counted for pods and for nodes.
            let former = figures[figure] ?? (0, 0)
            figures[figure] = (former.packets + count.packets, former.bytes + count.bytes)
        }
        return figures
    }

    /// Whether there is a table, of this process or an earlier one.
    mutating func exists() throws(NFTablesError) -> Bool { try socket.tables().contains(TranslationTable.table) }

    /// Removes the table.
    mutating func remove() throws(NFTablesError) {
        if try exists() { try socket.commit(Transaction([.deleteTable(TranslationTable.table)])) }
    }
}
