extension TableEntry {
    /// The entry under which the maps have it; nil for what is about packets.
    var connectTimeEntry: TableEntry? {
        switch self {
        case .action, .alias, .slot, .member, .guarded, .nodePortRange: self
        // Of affinity the frontend tells.
        case .stickySlot(let slot): .slot(slot)
        case .outsiders, .clusterAddress, .hairpin, .localPods, .unmasqueraded, .serviceRange, .admitted, .translated,
            .unanswered, .standIn:
            nil
        }
    }
}

extension ProxyTable {
    /// What of the table concerns calls that are led while they are made.
    var connectTimePart: ProxyTable {
        var part = ProxyTable(family: family)
        for (entry, value) in entries {
            if let entry = entry.connectTimeEntry { part.entries[entry] = value }
        }
        return part
    }
}

extension ServiceProxyModel {
    /// What the maps should have under an entry as of the last flush; nil when they should not have it.
    func connectTimeValue(of entry: TableEntry) -> TableValue? {
        guard case .slot(let slot) = entry else { return value(of: entry) }
        return value(of: entry) ?? value(of: .stickySlot(slot))
    }
}

extension TableDifference {
    /// How many entries more the maps have afterwards.
    var connectTimeGrowth: Int {
        changes.reduce(0) { growth, change in
            guard change.key.connectTimeEntry != nil else { return growth }
            return growth + (change.value.new == nil ? 0 : 1) - (change.value.old == nil ? 0 : 1)
        }
    }

    /// The values that change for calls that are led while they are made; nil for what goes.
    package var connectTimePart: [TableEntry: TableValue?] {
        var values: [TableEntry: TableValue?] = [:]
        for (entry, change) in changes {
            guard let entry = entry.connectTimeEntry else { continue }
            // When affinity begins or ends, a slot goes as one entry and comes as another: it stays.
            if change.new != nil || values.index(forKey: entry) == nil { values.updateValue(change.new, forKey: entry) }
        }
        return values
    }
}
