internal import NFTables

extension TableLayout {
    /// The transaction that makes a difference.
    ///
    /// Every deletion stands before the additions, so that an element whose value changes is replaced in one step.
    /// - Parameter counts: the numbers of endpoints that have chains; missing ones are created and inserted.
    func transaction(for difference: TableDifference, counts: inout Set<UInt32>) -> Transaction {
        var deleted: [MapName: [Element]] = [:]
        var added: [MapName: [Element]] = [:]
        func delete(_ placed: PlacedElement) {
            deleted[placed.map, default: []].append(Element(placed.element.key, isRangeEnd: placed.element.isRangeEnd))
        }
        func add(_ placed: PlacedElement) {
            added[placed.map, default: []].append(placed.element)
        }
        var newCounts: Set<UInt32> = []
        for (frontend, change) in difference.actions {
            if let old = change.old { delete(element(frontend, old)) }
            guard let new = change.new else { continue }
            add(element(frontend, new))
            if case .balance(let count) = new, counts.insert(count).inserted { newCounts.insert(count) }
        }
        for (slot, change) in difference.slots {
            if let old = change.old { delete(element(slot, old)) }
            if let new = change.new { add(element(slot, new)) }
        }
        for address in difference.clusterAddresses.removed { delete(clusterAddress(address)) }
        for address in difference.clusterAddresses.added { add(clusterAddress(address)) }
        for address in difference.hairpins.removed { delete(hairpin(address)) }
        for address in difference.hairpins.added { add(hairpin(address)) }
        for prefix in difference.localPods.removed { localPods(prefix).forEach(delete) }
        for prefix in difference.localPods.added { localPods(prefix).forEach(add) }

        var transaction = Transaction()
        for count in newCounts.sorted() {
            for chain in chains(forEndpoints: count) { transaction.append(.addChain(chain)) }
            for rule in rules(forEndpoints: count) { transaction.append(.addRule(rule)) }
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
    func transaction(rebuilding target: ProxyTable, counts: inout Set<UInt32>) -> Transaction {
        counts = []
        var operations: [Transaction.Operation] = [.addTable(table), .deleteTable(table), .addTable(table)]
        operations += sets.map { .addSet($0) }
        operations += chains.map { .addChain($0) }
        operations += rules.map { .addRule($0) }
        let content = transaction(for: ProxyTable(family: family).difference(to: target), counts: &counts)
        return Transaction(operations + content.operations)
    }
}
