extension ServiceProxyModel {
    /// What the table of the last flush says of an entry, as ``table`` has it; nil when that has no such entry.
    /// - Complexity: O(1), but for members: O(n) in the number of the port's slots.
    package func value(of entry: TableEntry) -> TableValue? {
        switch entry {
        case .action(let frontend): frontends[frontend].map { .action($0.action) }
        case .outsiders(let frontend): frontends[frontend]?.outsiders.map { .action(.balance($0)) }
        case .alias(let frontend):
            frontends[frontend].flatMap { $0.isBalanced ? $0.anchor : nil }.map { .frontend($0) }
        case .slot(let slot): backend(in: slot, ofSticky: false).map { .backend($0) }
        case .stickySlot(let slot): backend(in: slot, ofSticky: true).map { .backend($0) }
        case .member(let anchor, let backend):
            presence(ports[anchor].map { $0.isSticky && $0.contains(backend) })
        case .clusterAddress(let address): presence(clusterAddressUses[address] != nil)
        case .hairpin(let address): presence(hairpinUses[address] != nil)
        case .standIn(let standIn): standIns.settled[standIn].map { .address($0) }
        case .guarded(let frontend): presence(frontends[frontend]?.admitted != nil)
        case .admitted(let frontend, let prefix): presence(frontends[frontend]?.admitted?.contains(prefix))
        case .localPods, .unmasqueraded, .nodePortRange, .serviceRange, .translated, .unanswered:
            presence(flushedRanges.contains(entry))
        }
    }

    private func backend(in slot: Slot, ofSticky isSticky: Bool) -> Backend? {
        guard let port = ports[slot.anchor], port.isSticky == isSticky, let backends = port[slot.pool],
            slot.index < backends.count
        else { return nil }
        return backends[Int(slot.index)]
    }

    private func presence(_ isPresent: Bool?) -> TableValue? {
        isPresent == true ? .present : nil
    }
}
