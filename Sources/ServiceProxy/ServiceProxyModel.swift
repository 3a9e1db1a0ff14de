package import Addresses

/// The pure compiler of one family: takes Services and EndpointSlices as they change, and yields the
/// table elements that change with them.
///
/// An event only notes which Services it touches; ``flush()`` compiles those, so that its cost follows the
/// change and not the size of the cluster.
package struct ServiceProxyModel: Sendable {
    /// What a frontend leads to at present.
    struct State: Sendable {
        var owner: ServiceName
        /// The backends in slot order.
        var backends: [Backend]
        var serving: Set<IPAddress>

        var action: FrontendAction { backends.isEmpty ? .refuse : .balance(over: UInt32(backends.count)) }
    }

    package let family: IPFamily
    var services: [ServiceName: ProxiedService] = [:]
    var slices: [ServiceName: ProxiedSlice] = [:]
    var slicesOfService: [ServiceName: Set<ServiceName>] = [:]
    var dirty: Set<ServiceName> = []

    var states: [Frontend: State] = [:]
    /// The frontends that each Service wants.
    var claims: [ServiceName: Set<Frontend>] = [:]
    /// The Services that want a frontend which one that sorts before them holds.
    var contenders: [Frontend: Set<ServiceName>] = [:]
    /// How many frontends have a cluster address, and how many slots lead to a backend's address.
    var clusterAddressUses: [IPAddress: Int] = [:]
    var hairpinUses: [IPAddress: Int] = [:]
    /// Slot orders that were found in the kernel and not yet claimed.
    var adopted: [Frontend: [Backend]] = [:]
    var localPods: Set<IPPrefix>
    var flushedLocalPods: Set<IPPrefix> = []

    /// A model without Services.
    /// - Parameter kept: the table found in the kernel; backends keep the slots that they have in it.
    package init(family: IPFamily, adoptingSlotsOf kept: ProxyTable? = nil) {
        self.family = family
        adopted = kept?.slotOrders() ?? [:]
        localPods = [Self.everything(of: family)]
    }

    /// Takes a Service as it is now; nil when it is gone or nothing to proxy in this family.
    package mutating func set(_ service: ProxiedService?, named name: ServiceName) {
        guard services[name] != service else { return }
        services[name] = service
        dirty.insert(name)
    }

    /// Takes an EndpointSlice as it is now; nil when it is gone or of no concern to this family.
    package mutating func set(_ slice: ProxiedSlice?, named name: ServiceName) {
        let old = slices[name]
        guard old != slice else { return }
        if let old {
            slicesOfService[old.service]?.remove(name)
            if slicesOfService[old.service]?.isEmpty == true { slicesOfService[old.service] = nil }
            dirty.insert(old.service)
        }
        if let slice {
            slicesOfService[slice.service, default: []].insert(name)
            dirty.insert(slice.service)
        }
        slices[name] = slice
    }

    /// Takes the address blocks of this node's pods.
    ///
    /// While none is known every source counts as local: a wrong guess must not hide the addresses of pods.
    package mutating func set(localPods prefixes: some Sequence<IPPrefix>) {
        let own = Set(prefixes.filter { $0.family == family })
        localPods = own.isEmpty ? [Self.everything(of: family)] : own
    }

    private static func everything(of family: IPFamily) -> IPPrefix {
        IPPrefix(IPAddress(family: family, bits: 0), length: 0)
    }

    /// Whether ``flush()`` would do anything.
    package var hasPendingChanges: Bool { !dirty.isEmpty || localPods != flushedLocalPods }

    /// The whole table as of the last flush.
    /// - Complexity: O(n) in the number of slots.
    package var table: ProxyTable {
        var table = ProxyTable(family: family)
        for (frontend, state) in states {
            table.actions[frontend] = state.action
            for (index, backend) in state.backends.enumerated() {
                table.slots[Slot(frontend, UInt32(index))] = backend
            }
        }
        table.clusterAddresses = Set(clusterAddressUses.keys)
        table.hairpins = Set(hairpinUses.keys)
        table.localPods = flushedLocalPods
        return table
    }
}
