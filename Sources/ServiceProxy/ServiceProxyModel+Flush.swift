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
    /// - Parameter other: the other family's model, for endpoints that have no address of this one.
    /// - Complexity: O(n) in the number of endpoints of the Services that changed.
    package mutating func flush(seeing other: ServiceProxyModel? = nil) -> Flush {
        var before = Before()
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
            flush.note(frontend, from: old, to: new)
            guard let address = frontend.address else { continue }
            addressUses[address, default: 0] += (new?.kind == .cluster ? 1 : 0) - (old?.kind == .cluster ? 1 : 0)
        }
        for (anchor, old) in before.ports {
            let new = ports[anchor]
            flush.difference.note(anchor, from: old, to: new)
            for backend in old?.backends ?? [] { hairpins[backend.address, default: 0] -= 1 }
            for backend in new?.backends ?? [] { hairpins[backend.address, default: 0] += 1 }
        }
        Self.count(addressUses, in: &clusterAddressUses) {
            flush.difference.note(.clusterAddress($0), wasPresent: $1, isPresent: $2)
        }
        Self.count(hairpins, in: &hairpinUses) {
            flush.difference.note(.hairpin($0), wasPresent: $1, isPresent: $2)
        }
        let ranges = ranges
        for range in ranges.symmetricDifference(flushedRanges) {
            flush.difference.note(range, wasPresent: flushedRanges.contains(range), isPresent: ranges.contains(range))
        }
        flushedRanges = ranges
        for change in standIns.settle() {
            flush.difference.note(
                .standIn(change.standIn), from: change.old.map { .address($0) }, to: change.new.map { .address($0) })
        }
        (flush.conflicts, conflicts) = (conflicts, [])
        return flush
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
    fileprivate mutating func note(_ frontend: Frontend, from old: FrontendState?, to new: FrontendState?) {
        // Most often nothing but the serving addresses differ.
        if old?.action != new?.action || old?.outsiders != new?.outsiders || old?.anchor != new?.anchor
            || old?.admitted != new?.admitted
        {
            var entries: [TableEntry: TableDifference.Change] = [:]
            old?.forEachEntry(of: frontend) { entries[$0] = .init(from: $1, to: nil) }
            new?.forEachEntry(of: frontend) { entries[$0] = .init(from: entries[$0]?.old, to: $1) }
            for (entry, change) in entries { difference.note(entry, from: change.old, to: change.new) }
        }
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
