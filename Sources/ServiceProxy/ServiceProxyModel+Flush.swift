package import Addresses

extension ServiceProxyModel {
    /// What a flush changes.
    package struct Flush: Hashable, Sendable {
        package var difference: TableDifference
        /// The datagram frontends whose endpoints became fewer, or came at last, with the addresses that
        /// serve them now: a flow that the kernel tracks to any other address is stale.
        package var datagramFrontends: [Frontend: Set<IPAddress>] = [:]
        /// Services that want a frontend which another has, as far as this flush brought it about.
        package var conflicts: Set<FrontendConflict> = []
    }

    /// Compiles what changed since the last flush.
    /// - Parameters:
    ///   - other: the other family's model, for endpoints that have no address of this one.
    ///   - isComparedAfterwards: whether the whole table is compared with the kernel's then. The difference is left out:
    ///     it may be as large as the table.
    /// - Complexity: O(n) in the number of endpoints of the Services that changed.
    package mutating func flush(seeing other: ServiceProxyModel? = nil, isComparedAfterwards: Bool = false) -> Flush {
        var before = Before()
        reserveForFirst(&before)
        // A Service that gives a frontend up makes the next in line dirty, hence the loop.
        while !dirty.isEmpty {
            let names = dirty
            dirty = []
            for name in names { compile(name, seeing: other, before: &before) }
        }
        var flush = Flush(difference: TableDifference(family: family))
        var addressUses: [IPAddress: Int] = [:]
        var hairpins: [IPAddress: Int] = [:]
        for (frontend, old) in before.frontends {
            let new = frontends[frontend]
            if !isComparedAfterwards { flush.difference.note(frontend, from: old, to: new) }
            flush.noteFlows(frontend, from: old, to: new)
            guard let address = frontend.address else { continue }
            addressUses[address, default: 0] += (new?.kind == .cluster ? 1 : 0) - (old?.kind == .cluster ? 1 : 0)
        }
        for (anchor, old) in before.ports {
            let new = ports[anchor]
            if !isComparedAfterwards { flush.difference.note(anchor, from: old, to: new) }
            for backend in old?.backends ?? [] { hairpins[backend.address, default: 0] -= 1 }
            for backend in new?.backends ?? [] { hairpins[backend.address, default: 0] += 1 }
        }
        Self.count(addressUses, in: &clusterAddressUses) {
            if !isComparedAfterwards { flush.difference.note(.clusterAddress($0), wasPresent: $1, isPresent: $2) }
        }
        Self.count(hairpins, in: &hairpinUses) {
            if !isComparedAfterwards { flush.difference.note(.hairpin($0), wasPresent: $1, isPresent: $2) }
        }
        let ranges = ranges
        for range in ranges.symmetricDifference(flushedRanges) where !isComparedAfterwards {
            flush.difference.note(range, wasPresent: flushedRanges.contains(range), isPresent: ranges.contains(range))
        }
        flushedRanges = ranges
        for change in standIns.settle() where !isComparedAfterwards {
            flush.difference.note(
                .standIn(change.standIn), from: change.old.map { .address($0) }, to: change.new.map { .address($0) })
        }
        (flush.conflicts, conflicts) = (conflicts, [])
        return flush
    }

    /// Makes room for what the first Services bring: it would be moved a dozen times as it grows.
    private mutating func reserveForFirst(_ before: inout Before) {
        guard frontends.isEmpty else { return }
        let count = dirty.count
        claims.reserveCapacity(count)
        frontends.reserveCapacity(count)
        ports.reserveCapacity(count)
        clusterAddressUses.reserveCapacity(count)
        hairpinUses.reserveCapacity(count)
        before.frontends.reserveCapacity(count)
        before.ports.reserveCapacity(count)
    }

    /// Adds `changes` to the counters and tells of each whether it was in use and whether it is.
    private static func count(
        _ changes: [IPAddress: Int], in uses: inout [IPAddress: Int], _ note: (IPAddress, Bool, Bool) -> Void
    ) {
        for (address, delta) in changes where delta != 0 {
            let old = uses[address] ?? 0
            let new = old + delta
            uses[address] = new == 0 ? nil : new
            note(address, old > 0, new > 0)
        }
    }
}

/// The states that a flush touches, as they were before it.
struct Before {
    var frontends: [Frontend: FrontendState?] = [:]
    var ports: [Frontend: PortState?] = [:]

    mutating func note(_ frontend: Frontend, _ state: FrontendState?) {
        if frontends.index(forKey: frontend) == nil { frontends.updateValue(state, forKey: frontend) }
    }

    mutating func note(_ anchor: Frontend, _ state: PortState?) {
        if ports.index(forKey: anchor) == nil { ports.updateValue(state, forKey: anchor) }
    }
}

extension ServiceProxyModel.Flush {
    /// Notes of a datagram frontend whether flows may lead elsewhere now.
    fileprivate mutating func noteFlows(_ frontend: Frontend, from old: FrontendState?, to new: FrontendState?) {
        guard frontend.transport == .udp else { return }
        let lost = !(old?.serving ?? []).subtracting(new?.serving ?? []).isEmpty
        if lost || old?.isBalanced != true && new?.isBalanced == true {
            datagramFrontends[frontend] = new?.serving ?? []
        }
    }
}

extension FrontendState {
    /// Whether connections reach an endpoint at all.
    var isBalanced: Bool {
        if case .balance = action { true } else { false }
    }
}

extension TableDifference {
    fileprivate mutating func note(_ frontend: Frontend, from old: FrontendState?, to new: FrontendState?) {
        // Most often nothing but the serving addresses differ.
        guard
            old?.action != new?.action || old?.outsiders != new?.outsiders || old?.anchor != new?.anchor
                || old?.admitted != new?.admitted
        else { return }
        var entries: [TableEntry: Change] = [:]
        old?.forEachEntry(of: frontend) { entries[$0] = Change(from: $1, to: nil) }
        new?.forEachEntry(of: frontend) { entries[$0] = Change(from: entries[$0]?.old, to: $1) }
        for (entry, change) in entries { note(entry, from: change.old, to: change.new) }
    }

    fileprivate mutating func note(_ anchor: Frontend, from old: PortState?, to new: PortState?) {
        // What is new or gone needs no comparison.
        guard let old, let new else {
            old?.forEachEntry(of: anchor) { note($0, from: $1, to: nil) }
            new?.forEachEntry(of: anchor) { note($0, from: nil, to: $1) }
            return
        }
        var entries: [TableEntry: Change] = [:]
        old.forEachEntry(of: anchor) { entries[$0] = Change(from: $1, to: nil) }
        new.forEachEntry(of: anchor) { entries[$0] = Change(from: entries[$0]?.old, to: $1) }
        for (entry, change) in entries { note(entry, from: change.old, to: change.new) }
    }
}
