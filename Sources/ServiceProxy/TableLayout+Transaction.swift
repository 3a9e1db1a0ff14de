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

    /// The transaction that puts what a model says in the place of whatever the kernel has under the table's name, and how
    /// many entries that are.
    func transaction(
        rebuilding model: ServiceProxyModel, shapes: inout Set<ChainShape>
    ) -> (transaction: Transaction, entries: Int) {
        var operations: [Transaction.Operation] = [.addTable(table), .deleteTable(table), .addTable(table)]
        operations += sets.map { .addSet($0) }
        operations += chains.map { .addChain($0) }
        operations += rules.map { .addRule($0) }
        operations.append(.addElements(table, set: Self.shapes, [dropElement]))
        var content = ElementChanges(self, shapes: [])
        var count = 0
        model.forEachEntry { entry, value in
            content.note(entry, from: nil, to: value)
            count += 1
        }
        content.prepareShapes()
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
    /// The ranges for which there are chains before a Service needs them, of a way in that is in use, and of others.
    private static let preparedRanges = Array(1...Balance.exactRange) + (1...8).map { Balance.exactRange << $0 }
    private static let firstRanges = preparedRanges.prefix(4)
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
        need(shape)
    }

    /// Has the chains of every way in and time of affinity that is in use, and a few of each other way in.
    ///
    /// The kernel walks all elements of a map when a rule of another chain begins to use it (nf_tables_bind_set of
    /// net/netfilter/nf_tables_api.c). As long as the maps are empty that costs nothing; later the first Service of a shape would
    /// pay for all others. But each rule that uses a map makes all elements a little dearer, see `BalanceRules`.
    mutating func prepareShapes() {
        let used = Set(shapes.map(\.first))
        for way in used.union(ChainShape.waysIn) {
            for range in used.contains(way) ? Self.preparedRanges[...] : Self.firstRanges { need(way.over(range)) }
        }
    }

    private mutating func need(_ shape: ChainShape) {
        guard shapes.insert(shape).inserted else { return }
        newShapes.append(shape)
        if shape.balance.range > 1 { need(shape.first) }
    }

    var transaction: Transaction {
        var transaction = Transaction()
        let chains = newShapes.sorted { $0.name < $1.name }
        for shape in chains { transaction.append(.addChain(layout.chain(shape))) }
        for rule in chains.flatMap(layout.rules) { transaction.append(.addRule(rule)) }
        for map in TableLayout.shapeMaps {
            transaction.append(.addElements(layout.table, set: map, layout.elements(of: newShapes, in: map)))
        }
        for map in TableLayout.MapName.allCases {
            transaction.append(.deleteElements(layout.table, set: map.name, deleted[map.rawValue]))
        }
        for map in TableLayout.MapName.allCases {
            transaction.append(.addElements(layout.table, set: map.name, added[map.rawValue]))
        }
        return transaction
    }
}
