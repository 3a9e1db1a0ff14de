package import Addresses

/// The elements of one family's table that change.
package struct TableDifference: Hashable, Sendable {
    /// An element's value before and after; nil where the element does not exist.
    package struct Change: Hashable, Sendable {
        package let old: TableValue?
        package let new: TableValue?

        package init(from old: TableValue?, to new: TableValue?) {
            self.old = old
            self.new = new
        }
    }

    package let family: IPFamily
    package private(set) var changes: [TableEntry: Change] = [:]

    package init(family: IPFamily) {
        self.family = family
    }

    package var isEmpty: Bool { changes.isEmpty }

    /// How many elements change; a changed value counts once.
    package var count: Int { changes.count }

    /// How many entries more there are afterwards.
    package var growth: Int {
        changes.values.reduce(0) { $0 + ($1.new == nil ? 0 : 1) - ($1.old == nil ? 0 : 1) }
    }

    mutating func note(_ entry: TableEntry, from old: TableValue?, to new: TableValue?) {
        if old != new { changes[entry] = Change(from: old, to: new) }
    }

    /// Adds or removes an element that carries nothing.
    mutating func note(_ entry: TableEntry, wasPresent: Bool, isPresent: Bool) {
        note(entry, from: wasPresent ? .present : nil, to: isPresent ? .present : nil)
    }
}
