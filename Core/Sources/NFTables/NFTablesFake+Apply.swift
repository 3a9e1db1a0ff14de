internal import Linux

// The order of checks and the error numbers follow net/netfilter/nf_tables_api.c.
extension NFTablesFake {
    mutating func apply(_ operation: Transaction.Operation) throws(Errno) {
        switch operation {
        case .addTable(let table):
            if contents[table] == nil { contents[table] = FakeTable() }
        case .deleteTable(let table):
            guard contents.removeValue(forKey: table) != nil else { throw .noEntry }
        case .addChain(let chain):
            try change(chain.table) { table throws(Errno) in
                if let present = table.chains[chain.name] {
                    // Naming a base chain without its hook is no change; giving it another one is refused.
                    guard chain.base == nil || chain == present.chain else { throw .exists }
                } else {
                    table.chains[chain.name] = FakeTable.Chains(chain: chain)
                }
            }
        case .deleteChain(let table, let name):
            try change(table) { table throws(Errno) in
                guard table.chains[name] != nil else { throw .noEntry }
                guard !table.leads(to: name) else { throw .busy }
                table.chains[name] = nil
            }
        case .flushChain(let table, let name):
            try changeChain(table, name) { chain throws(Errno) in chain.rules = [] }
        case .addRule, .insertRule, .replaceRule, .deleteRule:
            try applyRule(operation)
        case .addSet, .deleteSet, .flushSet, .addElements, .deleteElements:
            try applySet(operation)
        }
    }

    private mutating func applyRule(_ operation: Transaction.Operation) throws(Errno) {
        let handle = makeHandle()
        switch operation {
        case .addRule(let rule):
            try change(rule.table) { table throws(Errno) in
                guard table.chains[rule.chain] != nil else { throw .noEntry }
                try table.checkReferences(of: rule)
                table.chains[rule.chain]?.rules.append((handle, rule))
            }
        case .insertRule(let rule):
            try change(rule.table) { table throws(Errno) in
                guard table.chains[rule.chain] != nil else { throw .noEntry }
                try table.checkReferences(of: rule)
                table.chains[rule.chain]?.rules.insert((handle, rule), at: 0)
            }
        case .replaceRule(let rule, let old):
            try change(rule.table) { table throws(Errno) in
                guard let index = table.chains[rule.chain]?.rules.firstIndex(where: { $0.handle == old }) else {
                    throw .noEntry
                }
                try table.checkReferences(of: rule)
                table.chains[rule.chain]?.rules[index] = (handle, rule)
            }
        case .deleteRule(let table, let chain, let old):
            try changeChain(table, chain) { chain throws(Errno) in
                guard let index = chain.rules.firstIndex(where: { $0.handle == old }) else { throw .noEntry }
                chain.rules.remove(at: index)
            }
        default: break
        }
    }

    private mutating func applySet(_ operation: Transaction.Operation) throws(Errno) {
        switch operation {
        case .addSet(let set):
            try change(set.table) { table throws(Errno) in
                if let present = table.sets[set.name] {
                    guard present.set == set else { throw .exists }
                } else {
                    table.sets[set.name] = FakeTable.Elements(set: set)
                }
            }
        case .deleteSet(let table, let name):
            try change(table) { table throws(Errno) in
                guard table.sets[name] != nil else { throw .noEntry }
                guard !table.uses(set: name) else { throw .busy }
                table.sets[name] = nil
            }
        case .flushSet(let table, let name):
            try change(table) { table throws(Errno) in
                guard table.sets[name] != nil else { throw .noEntry }
                table.sets[name]?.elements = [:]
            }
        case .addElements(let table, let name, let elements):
            try change(table) { table throws(Errno) in
                guard table.sets[name] != nil else { throw .noEntry }
                for element in elements { try table.add(element, to: name) }
            }
        case .deleteElements(let table, let name, let elements):
            try change(table) { table throws(Errno) in
                guard table.sets[name] != nil else { throw .noEntry }
                for element in elements {
                    guard table.sets[name]?.elements.removeValue(forKey: element.identity) != nil else {
                        throw .noEntry
                    }
                }
            }
        default: break
        }
    }

    private mutating func change(
        _ table: Table, _ body: (inout FakeTable) throws(Errno) -> Void
    ) throws(Errno) {
        guard contents[table] != nil else { throw .noEntry }
        try body(&contents[table, default: FakeTable()])
    }

    private mutating func changeChain(
        _ table: Table, _ name: String, _ body: (inout FakeTable.Chains) throws(Errno) -> Void
    ) throws(Errno) {
        try change(table) { table throws(Errno) in
            guard var chain = table.chains[name] else { throw .noEntry }
            try body(&chain)
            table.chains[name] = chain
        }
    }
}

extension FakeTable {
    fileprivate func leads(to chain: String) -> Bool {
        chains.values.contains { other in
            other.chain.name != chain && other.rules.contains { $0.rule.leads(to: chain) }
        }
            || sets.values.contains { set in
                set.elements.values.contains { element in
                    if case .verdict(let verdict) = element.value { verdict.chain == chain } else { false }
                }
            }
    }

    fileprivate func uses(set: String) -> Bool {
        chains.values.contains { chain in chain.rules.contains { $0.rule.sets.contains(set) } }
    }

    fileprivate func checkReferences(of rule: Rule) throws(Errno) {
        for set in rule.sets where sets[set] == nil { throw .noEntry }
        for expression in rule.expressions {
            guard case .verdict(let verdict) = expression, let chain = verdict.chain else { continue }
            guard chains[chain] != nil else { throw .noEntry }
        }
    }

    fileprivate mutating func add(_ element: Element, to name: String) throws(Errno) {
        guard let set = sets[name]?.set, element.key.bytes.count == DataType.length(set.key) else {
            throw .invalidArgument
        }
        switch (set.value, element.value) {
        case (.none, .none): break
        case (.verdict, .verdict(let verdict)):
            if let chain = verdict.chain, chains[chain] == nil { throw .noEntry }
        case (.data(let types), .data(let data)):
            guard data.bytes.count == DataType.length(types) else { throw .invalidArgument }
        case (_, .none) where element.isRangeEnd: break
        default: throw .invalidArgument
        }
        if let present = sets[name]?.elements[element.identity] {
            guard present.value == element.value else { throw .exists }
        } else {
            sets[name]?.elements[element.identity] = element
        }
    }
}

extension Element {
    fileprivate var identity: FakeTable.Elements.Identity {
        FakeTable.Elements.Identity(key: key, lastKey: lastKey, isRangeEnd: isRangeEnd)
    }
}

extension Rule {
    fileprivate var sets: [String] {
        expressions.compactMap { expression in
            switch expression {
            case .contains(let set, _, _), .lookup(let set, _, _), .verdictMap(let set, _),
                .change(_, let set, _, _, _):
                set
            default: nil
            }
        }
    }

    fileprivate func leads(to chain: String) -> Bool {
        expressions.contains { if case .verdict(let verdict) = $0 { verdict.chain == chain } else { false } }
    }
}
