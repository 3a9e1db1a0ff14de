extension TableEntry {
    /// The entry under which the maps have it; nil for what is about packets.
    fileprivate var connectTimeEntry: TableEntry? {
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

extension TableDifference {
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
