/// A comparison of what the kernel has with what a model says, in parts; the model may change in between.
///
/// An entry that changed since the comparison began says nothing: it may have been read before or after. Every other one
/// that is read must be as the model has it, and as each is read once, it is enough to count them to know that none lacks.
package struct TableComparison {
    /// What is compared.
    package enum Part: Sendable {
        /// The nftables table.
        case table
        /// The maps of connect-time balancing.
        case connectTime
    }

    private let part: Part
    private var changed: Set<TableEntry> = []
    /// How many entries that did not change were found as they should be.
    private var confirmed = 0
    /// The kinds of which every entry was looked at, and the kind that is being looked at.
    private var done: Set<EntryKind> = []
    private var current: (kind: EntryKind, content: [(TableEntry, TableValue)], next: Int)?

    /// A comparison of which nothing was read yet.
    package init(_ part: Part = .table) {
        self.part = part
    }

    /// Notes what was changed in the kernel while the comparison goes on.
    package mutating func note(_ difference: TableDifference) {
        var entries: Set<TableEntry> = []
        for (entry, change) in difference.changes {
            guard let entry = part == .table ? entry : entry.connectTimeEntry, !changed.contains(entry)
            else { continue }
            entries.insert(entry)
            if change.old != nil, wasConfirmed(entry) { confirmed -= 1 }
        }
        changed.formUnion(entries)
    }

    private func value(of entry: TableEntry, _ model: ServiceProxyModel) -> TableValue? {
        part == .table ? model.value(of: entry) : model.connectTimeValue(of: entry)
    }

    private func wasConfirmed(_ entry: TableEntry) -> Bool {
        guard let current, current.kind == entry.kind else { return done.contains(entry.kind) }
        return current.content[..<current.next].contains { $0.0 == entry }
    }

    /// Takes what was read of a kind, since the comparison began.
    package mutating func begin(_ kind: EntryKind, _ content: [(TableEntry, TableValue)]) {
        current = (kind, content, 0)
    }

    /// What a look at some entries found.
    package enum Finding: Sendable {
        /// They are as the model says, and there are more of the kind.
        case more
        /// Those of the kind are as the model says.
        case agrees
        /// One is not.
        case differs
    }

    /// Looks at some entries of the present kind.
    package mutating func advance(by count: Int, _ model: ServiceProxyModel) -> Finding {
        guard let (kind, content, next) = current else { return .agrees }
        let end = min(next + count, content.count)
        for (entry, value) in content[next..<end] where !changed.contains(entry) {
            guard self.value(of: entry, model) == value else { return .differs }
            confirmed += 1
        }
        current?.next = end
        guard end == content.count else { return .more }
        current = nil
        done.insert(kind)
        return .agrees
    }

    /// Whether all that the model says was found, after every kind was looked at.
    /// - Parameter count: how many entries that should be.
    package func isComplete(_ model: ServiceProxyModel, _ count: Int) -> Bool {
        confirmed == count - changed.count { value(of: $0, model) != nil }
    }
}
