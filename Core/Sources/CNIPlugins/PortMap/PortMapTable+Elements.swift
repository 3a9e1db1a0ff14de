import Addresses
import NFTables

extension PortMapTable {
    /// The elements of a map that lead to a pod.
    func elements(_ scope: Scope, _ mappings: [PortMapping], to pod: IPAddress, comment: String) -> [Element] {
        var seen: Set<Key> = []
        // Of two mappings of the same port the first holds.
        return mappings.compactMap { mapping in
            guard let address = mapping.address(family), (scope == .any) == address.isUnspecified else { return nil }
            var key = scope == .any ? Key() : Key(address)
            key.append(transportProtocol: mapping.transport.number)
            key.append(port: mapping.hostPort)
            guard seen.insert(key).inserted else { return nil }
            var value = Key(pod)
            value.append(port: mapping.containerPort)
            return Element(key, .data(value), comment: comment)
        }
    }

    /// The elements of a set of sources whose connections to the keys of a map are masqueraded.
    func sourceElements(_ scope: Scope, _ sources: [IPPrefix], _ elements: [Element]) -> [Element] {
        elements.flatMap { element in
            sources.map { source in
                Element(
                    Key(bytes: source.first.bytes + element.key.bytes),
                    lastKey: Key(bytes: source.last.bytes + element.key.bytes), comment: element.comment)
            }
        }
    }

    /// The changes that map the ports of an attachment, given what the table holds.
    ///
    /// A port that is mapped already changes its pod, as the newest mapping wins. What leads to the same pod address on
    /// behalf of another attachment is left from one that is gone, and goes.
    ///
    /// - Parameter sources: whose connections are masqueraded.
    func addition(
        _ mappings: [PortMapping], to pod: IPAddress, from sources: [IPPrefix], tag: AttachmentTag, present: Content
    ) -> Transaction {
        var transaction = Transaction([.addTable(table)])
        for chain in chains { transaction.append(.addChain(chain)) }
        for scope in Scope.allCases {
            transaction.append(.addSet(map(scope)))
            transaction.append(.addSet(self.sources(scope)))
        }
        for rule in rules where !present.rules.contains(where: { $0.chain == rule.chain && $0.does(rule) }) {
            transaction.append(.addRule(rule))
        }
        let gone = present.owners(ofPod: pod)
        func isObsolete(_ comment: String) -> Bool { tag.owns(comment) || gone.contains(comment) }
        transaction.append(contentsOf: present.removal(family, where: isObsolete))
        for scope in Scope.allCases {
            let elements = elements(scope, mappings, to: pod, comment: tag.comment)
            let keys = Set(elements.map(\.key))
            for set in [map(scope), self.sources(scope)] {
                // The key of a source ends with that of the map.
                let size = elements.first?.key.bytes.count ?? 0
                let taken = (present.elements[set.name] ?? []).filter { element in
                    keys.contains(Key(bytes: element.key.bytes.suffix(size))) && !isObsolete(element.comment ?? "")
                }
                transaction.append(.deleteElements(table, set: set.name, taken))
            }
            transaction.append(.addElements(table, set: map(scope).name, elements))
            let added = sourceElements(scope, sources, elements)
            transaction.append(.addElements(table, set: self.sources(scope).name, added))
        }
        return transaction
    }

    /// Whether a table leads all ports of mappings to a pod.
    func maps(_ mappings: [PortMapping], to pod: IPAddress, _ present: Content) -> Bool {
        Scope.allCases.allSatisfy { scope in
            let elements = present.elements[map(scope).name] ?? []
            return self.elements(scope, mappings, to: pod, comment: "").allSatisfy { wanted in
                elements.contains { $0.key == wanted.key && $0.value == wanted.value }
            }
        }
    }

    /// What the table of a family holds.
    struct Content {
        /// The rules of all chains.
        var rules: [RuleEntry] = []
        /// The elements, by the name of their set.
        var elements: [String: [Element]] = [:]

        /// Reads the table; one that is not there holds nothing.
        init(_ family: IPFamily, _ socket: inout some NFTablesConnection & ~Copyable) throws(NFTablesError) {
            let table = PortMapTable.table(family)
            for set in try socket.sets(of: table) {
                elements[set.name] = try socket.elements(of: table, set: set.name)
            }
            rules = elements.isEmpty ? [] : try socket.rules(of: table, chain: nil)
        }

        /// The comments on what leads to a pod.
        func owners(ofPod pod: IPAddress) -> Set<String> {
            var owners: Set<String> = []
            for element in elements.values.joined() {
                guard case .data(let target) = element.value, target.bytes.starts(with: pod.bytes) else { continue }
                owners.insert(element.comment ?? "")
            }
            return owners
        }

        /// The changes that remove the elements with comments that `isObsolete` picks.
        func removal(_ family: IPFamily, where isObsolete: (String) -> Bool) -> Transaction {
            Transaction(
                elements.map { set, contained in
                    .deleteElements(
                        PortMapTable.table(family), set: set, contained.filter { isObsolete($0.comment ?? "") })
                })
        }
    }
}
