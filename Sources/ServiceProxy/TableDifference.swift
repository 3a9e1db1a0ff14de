package import Addresses

/// The elements of one family's table that change, map by map.
package struct TableDifference: Hashable, Sendable {
    /// An element's value before and after; nil where the element does not exist.
    package struct Change<Value: Hashable & Sendable>: Hashable, Sendable {
        package let old: Value?
        package let new: Value?

        package init(from old: Value?, to new: Value?) {
            self.old = old
            self.new = new
        }
    }

    /// The members that leave a set and those that join it.
    package struct SetChange<Member: Hashable & Sendable>: Hashable, Sendable {
        package var removed: Set<Member> = []
        package var added: Set<Member> = []

        var isEmpty: Bool { removed.isEmpty && added.isEmpty }
        var count: Int { removed.count + added.count }

        /// Adds or removes `member` where its presence differs.
        mutating func note(_ member: Member, wasIn: Bool, isIn: Bool) {
            if wasIn && !isIn { removed.insert(member) }
            if isIn && !wasIn { added.insert(member) }
        }
    }

    package let family: IPFamily
    package var actions: [Frontend: Change<FrontendAction>] = [:]
    package var slots: [Slot: Change<Backend>] = [:]
    package var clusterAddresses = SetChange<IPAddress>()
    package var hairpins = SetChange<IPAddress>()
    package var localPods = SetChange<IPPrefix>()

    package init(family: IPFamily) {
        self.family = family
    }

    package var isEmpty: Bool {
        actions.isEmpty && slots.isEmpty && clusterAddresses.isEmpty && hairpins.isEmpty && localPods.isEmpty
    }

    /// How many elements change; a changed value counts once.
    package var count: Int {
        actions.count + slots.count + clusterAddresses.count + hairpins.count + localPods.count
    }

    mutating func note(_ frontend: Frontend, from old: FrontendAction?, to new: FrontendAction?) {
        if old != new { actions[frontend] = Change(from: old, to: new) }
    }

    mutating func note(_ slot: Slot, from old: Backend?, to new: Backend?) {
        if old != new { slots[slot] = Change(from: old, to: new) }
    }
}

extension ProxyTable {
    /// The difference that turns this table into `target`.
    /// - Complexity: O(n) in the size of both tables.
    package func difference(to target: ProxyTable) -> TableDifference {
        var difference = TableDifference(family: family)
        for (frontend, old) in actions { difference.note(frontend, from: old, to: target.actions[frontend]) }
        for (frontend, new) in target.actions { difference.note(frontend, from: actions[frontend], to: new) }
        for (slot, old) in slots { difference.note(slot, from: old, to: target.slots[slot]) }
        for (slot, new) in target.slots { difference.note(slot, from: slots[slot], to: new) }
        difference.clusterAddresses = Self.change(from: clusterAddresses, to: target.clusterAddresses)
        difference.hairpins = Self.change(from: hairpins, to: target.hairpins)
        difference.localPods = Self.change(from: localPods, to: target.localPods)
        return difference
    }

    private static func change<Member>(
        from old: Set<Member>, to new: Set<Member>
    ) -> TableDifference.SetChange<Member> {
        TableDifference.SetChange(removed: old.subtracting(new), added: new.subtracting(old))
    }

    /// Applies a difference that was made for this table.
    package mutating func apply(_ difference: TableDifference) {
        for (frontend, change) in difference.actions { actions[frontend] = change.new }
        for (slot, change) in difference.slots { slots[slot] = change.new }
        clusterAddresses = clusterAddresses.subtracting(difference.clusterAddresses.removed)
            .union(difference.clusterAddresses.added)
        hairpins = hairpins.subtracting(difference.hairpins.removed).union(difference.hairpins.added)
        localPods = localPods.subtracting(difference.localPods.removed).union(difference.localPods.added)
    }
}
