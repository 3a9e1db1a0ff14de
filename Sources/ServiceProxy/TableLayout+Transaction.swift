internal import NFTables

extension TableLayout {
    /// The transaction that makes a difference.
    ///
    /// Every deletion stands before the additions, so that an element whose value changes is replaced in one step.
    /// - Parameter shapes: the shapes that have chains; missing ones are created and inserted.
    func transaction(for difference: TableDifference, shapes: inout Set<ChainShape>) -> Transaction {
        var changes = ElementChanges(self, shapes: shapes)
        for (entry, change) in difference.changes { changes.note(entry, from: change.old, to: change.new) }
        shapes = changes.shapes
        return changes.transaction
    }

    /// The transaction after which nothing is refused any more by a table that is about to be replaced: what it finds no
    /// endpoint for is lost, and sent again.
    var retirement: Transaction {
        Transaction([.flushChain(table, ChainName.refusals), .addRule(retiringRule)])
    }

    /// The transaction that puts what a model says in the place of whatever the kernel has under the table's name, and how
    /// many entries that are.
    func transaction(
        rebuilding model: ServiceProxyModel, shapes: inout Set<ChainShape>
    ) -> (transaction: Transaction, entries: Int) {
        var operations: [Transaction.Operation] = [.addTable(table), .deleteTable(table), .addTable(table)]
        operations += sets.map { .addSet($0) }
        operations += chains.map { .addChain($0) }
        operations += rules.map { .addRule($0) }
        operations.append(.addElements(table, set: Self.shapes, elements(of: [])))
        var content = ElementChanges(self, shapes: [])
        var count = 0
        model.forEachEntry { entry, value in
            content.note(entry, from: nil, to: value)
            count += 1
        }
        content.prepareGrowth()
        shapes = content.shapes
        return (Transaction(operations + content.transaction.operations), count)
    }
}

/// Gathers the elements that change, map by map, and the chains that they need.
private struct ElementChanges {
    private let layout: TableLayout
    private var deleted: [[Element]]
    private var added: [[Element]]
    private var newShapes: [ChainShape] = []
    private(set) var shapes: Set<ChainShape>
    private static let preparedCount: UInt32 = 16
    /// Many Services in a row have the same shape.
    private var lastShape: ChainShape?

    init(_ layout: TableLayout, shapes: Set<ChainShape>) {
        self.layout = layout
        self.shapes = shapes
        deleted = Array(repeating: [], count: TableLayout.MapName.allCases.count)
        added = deleted
    }

    mutating func note(_ entry: TableEntry, from old: TableValue?, to new: TableValue?) {
        for placed in old.map({ layout.elements(entry, $0) }) ?? [] {
            var element = placed.element
            element.value = .none
            deleted[placed.map.rawValue].append(element)
        }
        guard let new else { return }
        for placed in layout.elements(entry, new) { added[placed.map.rawValue].append(placed.element) }
        guard let shape = layout.shape(entry, new), shape != lastShape else { return }
        lastShape = shape
        if shapes.insert(shape).inserted { newShapes.append(shape) }
    }

    /// Has chains for a few numbers of endpoints of every shape that is in use.
    ///
    /// The kernel walks all elements of a map when a rule of another chain begins to use it (nf_tables_bind_set of
    /// net/netfilter/nf_tables_api.c). As long as the maps are empty that costs nothing; later a Service that grows would pay for
    /// all others.
    mutating func prepareGrowth() {
        for shape in shapes where shape.balance.count > 0 {
            let balance = shape.balance
            for count in 1...Self.preparedCount {
                let other = Balance(balance.entry, balance.pool, over: count, stickySeconds: balance.stickySeconds)
                let prepared = ChainShape(other, isNodePort: shape.isNodePort)
                if shapes.insert(prepared).inserted { newShapes.append(prepared) }
            }
        }
    }

    var transaction: Transaction {
        var transaction = Transaction()
        for shape in newShapes.sorted(by: { $0.name < $1.name }) {
            transaction.append(.addChain(layout.chain(shape)))
            for rule in layout.rules(shape) { transaction.append(.addRule(rule)) }
        }
        transaction.append(.addElements(layout.table, set: TableLayout.shapes, newShapes.map(layout.element)))
        for map in TableLayout.MapName.allCases {
            transaction.append(.deleteElements(layout.table, set: map.name, deleted[map.rawValue]))
        }
        for map in TableLayout.MapName.allCases {
            transaction.append(.addElements(layout.table, set: map.name, added[map.rawValue]))
        }
        return transaction
    }
}
