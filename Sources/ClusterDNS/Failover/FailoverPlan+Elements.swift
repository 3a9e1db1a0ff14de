internal import Addresses
internal import NFTables

extension FailoverPlan {
    /// The elements of each set that the plan decides, by the set's name; the others are the server's.
    var elements: [String: Set<Element>] {
        var result: [String: Set<Element>] = [:]
        for family in IPFamily.allCases {
            result[FailoverTable.addressSet(family)] = Set(
                addresses.filter { $0.family == family }.map { Element(Key($0)) })
            result[FailoverTable.standInMap(family)] = Set(
                FailoverTable.Transport.allCases.flatMap { standInElements(family, $0) })
        }
        return result
    }

    /// Each slot and the server that it leads to, all of them about equally often.
    private func standInElements(_ family: IPFamily, _ transport: FailoverTable.Transport) -> [Element] {
        let servers = standIns.filter { $0.address.family == family }.compactMap { server in
            server.port(transport).map { (server.address, $0) }
        }
        guard !servers.isEmpty else { return [] }
        return (0..<FailoverTable.slots).map { slot in
            let (address, port) = servers[Int(slot) % servers.count]
            var key = Key()
            key.append(transportProtocol: transport.rawValue)
            key.append(number: slot)
            var target = Key()
            target.append(address)
            target.append(port: port)
            return Element(key, .data(target))
        }
    }

    /// Builds the table anew, whatever it held before.
    func rebuilding(usesSockets: Bool) -> Transaction {
        let table = FailoverTable.table
        var transaction = Transaction([.addTable(table), .deleteTable(table), .addTable(table)])
        for set in FailoverTable.sets { transaction.append(.addSet(set)) }
        for (set, elements) in elements { transaction.append(.addElements(table, set: set, Array(elements))) }
        for chain in FailoverTable.chains { transaction.append(.addChain(chain)) }
        for rule in FailoverTable.rules(port: port, usesSockets: usesSockets) { transaction.append(.addRule(rule)) }
        return transaction
    }

    /// What has to change in sets that hold other elements.
    func changes(from present: [String: Set<Element>]) -> Transaction {
        var transaction = Transaction()
        for (set, wanted) in elements.sorted(by: { $0.key < $1.key }) {
            let held = present[set] ?? []
            transaction.append(
                .deleteElements(FailoverTable.table, set: set, Array(held.subtracting(wanted))))
            transaction.append(.addElements(FailoverTable.table, set: set, Array(wanted.subtracting(held))))
        }
        return transaction
    }
}
