internal import NFTables

extension TableLayout {
    /// The transaction that makes a difference.
    ///
    /// Every deletion stands before the additions, so that an element whose value changes is replaced in one step.
    /// - Parameter shapes: the shapes that have chains; missing ones are created and inserted.
    func transaction(for difference: TableDifference, shapes: inout Set<ChainShape>) -> Transaction {
        transaction(changing: difference.changes.lazy.map { ($0.key, $0.value) }, &shapes)
    }

    private func transaction(
        changing changes: some Sequence<(TableEntry, TableDifference.Change)>, _ shapes: inout Set<ChainShape>
    ) -> Transaction {
        var deleted: [MapName: [Element]] = [:]
        var added: [MapName: [Element]] = [:]
        var newShapes: [String: ChainShape] = [:]
        for (entry, change) in changes {
            for placed in change.old.map({ elements(entry, $0) }) ?? [] {
                var element = placed.element
                element.value = .none
                deleted[placed.map, default: []].append(element)
            }
            guard let new = change.new else { continue }
            for placed in elements(entry, new) { added[placed.map, default: []].append(placed.element) }
            if let shape = shape(entry, new), shapes.insert(shape).inserted { newShapes[shape.name] = shape }
        }
        var transaction = Transaction()
        for (_, shape) in newShapes.sorted(by: { $0.key < $1.key }) {
            transaction.append(.addChain(chain(shape)))
            for rule in rules(shape) { transaction.append(.addRule(rule)) }
        }
        for map in MapName.allCases {
            transaction.append(.deleteElements(table, set: map.rawValue, deleted[map] ?? []))
        }
        for map in MapName.allCases {
            transaction.append(.addElements(table, set: map.rawValue, added[map] ?? []))
        }
        return transaction
    }

    /// The transaction that puts `target` in the place of whatever the kernel has under the table's name.
    func transaction(rebuilding target: ProxyTable, shapes: inout Set<ChainShape>) -> Transaction {
        shapes = []
        var operations: [Transaction.Operation] = [.addTable(table), .deleteTable(table), .addTable(table)]
        operations += sets.map { .addSet($0) }
        operations += chains.map { .addChain($0) }
        operations += rules.map { .addRule($0) }
        let content = transaction(
            changing: target.entries.lazy.map { ($0.key, TableDifference.Change(from: nil, to: $0.value)) }, &shapes)
        return Transaction(operations + content.operations)
    }
}
