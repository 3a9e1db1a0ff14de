package import Addresses

extension ServiceProxyModel {
    /// What a flush changes.
    package struct Flush: Hashable, Sendable {
        package var difference: TableDifference
        /// The datagram frontends whose endpoints became fewer, or came at last, with the addresses that
        /// serve them now: a flow that the kernel tracks to any other address is stale.
        package var datagramFrontends: [Frontend: Set<IPAddress>] = [:]
    }

    /// Compiles what changed since the last flush.
    /// - Complexity: O(n) in the number of endpoints of the Services that changed.
    package mutating func flush() -> Flush {
        var before: [Frontend: State?] = [:]
        // A Service that gives a frontend up makes the next in line dirty, hence the loop.
        while !dirty.isEmpty {
            let names = dirty
            dirty = []
            for name in names { compile(name, before: &before) }
        }
        var flush = Flush(difference: TableDifference(family: family))
        var addressUses: [IPAddress: Int] = [:]
        var hairpins: [IPAddress: Int] = [:]
        for (frontend, old) in before {
            let new = states[frontend]
            flush.note(frontend, from: old, to: new)
            if let address = frontend.address {
                addressUses[address, default: 0] += (new == nil ? 0 : 1) - (old == nil ? 0 : 1)
            }
            for backend in old?.backends ?? [] { hairpins[backend.address, default: 0] -= 1 }
            for backend in new?.backends ?? [] { hairpins[backend.address, default: 0] += 1 }
        }
        flush.difference.clusterAddresses = Self.count(addressUses, in: &clusterAddressUses)
        flush.difference.hairpins = Self.count(hairpins, in: &hairpinUses)
        flush.difference.localPods.removed = flushedLocalPods.subtracting(localPods)
        flush.difference.localPods.added = localPods.subtracting(flushedLocalPods)
        flushedLocalPods = localPods
        return flush
    }

    /// Ends adoption: slot orders that no Service claimed so far are forgotten.
    package mutating func forgetAdoptedSlots() {
        adopted = [:]
    }

    /// Brings the frontends of one Service to what its objects say, and notes what they were before.
    private mutating func compile(_ name: ServiceName, before: inout [Frontend: State?]) {
        var wanted: [Frontend: EndpointChoice] = [:]
        if let service = services[name] {
            let endpoints = (slicesOfService[name] ?? []).compactMap { slices[$0] }
            for port in service.ports {
                let choice = EndpointChoice(port: port, slices: endpoints)
                for frontend in service.frontends(of: port) { wanted[frontend] = choice }
            }
        }
        for frontend in claims[name] ?? [] where wanted[frontend] == nil {
            withdraw(name, from: frontend, before: &before)
        }
        claims[name] = wanted.isEmpty ? nil : Set(wanted.keys)
        for (frontend, choice) in wanted where claim(frontend, for: name) {
            before.noteFirst(states[frontend], of: frontend)
            let order = states[frontend]?.backends ?? before[frontend]??.backends ?? adopted[frontend]
            states[frontend] = State(
                owner: name, backends: assignSlots(previous: order ?? [], desired: choice.backends),
                serving: choice.serving)
        }
    }

    /// Whether `name` may hold `frontend`; of several Services that want the same, the one that sorts first does.
    private mutating func claim(_ frontend: Frontend, for name: ServiceName) -> Bool {
        guard let owner = states[frontend]?.owner, owner != name else {
            dismiss(name, from: frontend)
            return true
        }
        let loser = max(owner, name)
        contenders[frontend, default: []].insert(loser)
        dismiss(min(owner, name), from: frontend)
        return loser == owner
    }

    private mutating func withdraw(_ name: ServiceName, from frontend: Frontend, before: inout [Frontend: State?]) {
        dismiss(name, from: frontend)
        if let state = states[frontend], state.owner == name {
            before.noteFirst(state, of: frontend)
            states[frontend] = nil
        }
        // Also when another gave it up just now: `name` may have been the next in line.
        if states[frontend] == nil, let next = contenders[frontend]?.min() { dirty.insert(next) }
    }

    /// Takes `name` out of those who wait for `frontend`.
    private mutating func dismiss(_ name: ServiceName, from frontend: Frontend) {
        contenders[frontend]?.remove(name)
        if contenders[frontend]?.isEmpty == true { contenders[frontend] = nil }
    }

    /// Adds `changes` to the counters and returns which became used or unused.
    private static func count(
        _ changes: [IPAddress: Int], in uses: inout [IPAddress: Int]
    ) -> TableDifference.SetChange<IPAddress> {
        var change = TableDifference.SetChange<IPAddress>()
        for (address, delta) in changes where delta != 0 {
            let old = uses[address] ?? 0
            let new = old + delta
            uses[address] = new == 0 ? nil : new
            change.note(address, wasIn: old > 0, isIn: new > 0)
        }
        return change
    }
}

extension ServiceProxyModel.Flush {
    fileprivate mutating func note(
        _ frontend: Frontend, from old: ServiceProxyModel.State?, to new: ServiceProxyModel.State?
    ) {
        difference.note(frontend, from: old?.action, to: new?.action)
        let (oldSlots, newSlots) = (old?.backends ?? [], new?.backends ?? [])
        for index in 0..<max(oldSlots.count, newSlots.count) {
            difference.note(
                Slot(frontend, UInt32(index)), from: index < oldSlots.count ? oldSlots[index] : nil,
                to: index < newSlots.count ? newSlots[index] : nil)
        }
        guard frontend.transport == .udp else { return }
        let lost = !(old?.serving ?? []).subtracting(new?.serving ?? []).isEmpty
        if lost || oldSlots.isEmpty && !newSlots.isEmpty { datagramFrontends[frontend] = new?.serving ?? [] }
    }
}

extension Dictionary where Key == Frontend, Value == ServiceProxyModel.State? {
    /// Keeps the state of a frontend the first time that it is touched.
    fileprivate mutating func noteFirst(_ state: ServiceProxyModel.State?, of frontend: Frontend) {
        if index(forKey: frontend) == nil { updateValue(state, forKey: frontend) }
    }
}
