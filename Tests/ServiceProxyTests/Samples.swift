import Addresses
import ServiceProxy

/// The `index`-th sample address of a network in each family.
func address(_ family: IPFamily, network: UInt128, _ index: UInt128) -> IPAddress {
    let base: UInt128 = family == .ipv4 ? 0x0a00_0000 : 0xfd00_0010 << 96
    return IPAddress(family: family, bits: base + network << 16 + index)
}

func clusterIP(_ family: IPFamily, _ index: UInt128) -> IPAddress { address(family, network: 96, index) }
func podIP(_ family: IPFamily, _ index: UInt128) -> IPAddress { address(family, network: 244, index) }

extension ServiceName {
    init(_ name: String) {
        self.init(namespace: "default", name: name)
    }
}

extension ProxiedSlice {
    /// A slice with one port and ready endpoints with these numbers.
    init(_ service: String, _ family: IPFamily, port: UInt16, transport: TransportProtocol = .tcp, pods: [UInt128]) {
        self.init(
            service: ServiceName(service), ports: [Port(transport: transport, port: port)],
            endpoints: pods.map { Endpoint(address: podIP(family, $0)) })
    }
}

extension ProxyTable {
    /// What happens at each frontend.
    var actions: [Frontend: FrontendAction] {
        entries.reduce(into: [:]) { actions, entry in
            if case (.action(let frontend), .action(let action)) = entry { actions[frontend] = action }
        }
    }

    /// The backend in each slot.
    var slots: [Slot: Backend] {
        entries.reduce(into: [:]) { slots, entry in
            if let slot = entry.key.slot, case .backend(let backend) = entry.value { slots[slot] = backend }
        }
    }

    /// The frontends that share another's slots.
    var aliases: [Frontend: Frontend] {
        entries.reduce(into: [:]) { aliases, entry in
            if case (.alias(let frontend), .frontend(let anchor)) = entry { aliases[frontend] = anchor }
        }
    }

    var clusterAddresses: Set<IPAddress> {
        Set(entries.keys.compactMap { if case .clusterAddress(let address) = $0 { address } else { nil } })
    }

    var hairpins: Set<IPAddress> {
        Set(entries.keys.compactMap { if case .hairpin(let address) = $0 { address } else { nil } })
    }

    /// The backends that a frontend leads to, whatever their slots.
    func backends(of frontend: Frontend, _ pool: Pool = .everywhere) -> Set<Backend> {
        let anchor = aliases[frontend] ?? frontend
        return Set(slots.lazy.filter { $0.key.anchor == anchor && $0.key.pool == pool }.map(\.value))
    }

    /// The table with the slots of every port in the order of its backends.
    func canonical() -> ProxyTable {
        var table = self
        var backends: [Frontend: [Pool: Set<Backend>]] = [:]
        for (slot, backend) in slots { backends[slot.anchor, default: [:]][slot.pool, default: []].insert(backend) }
        for (anchor, pools) in backends {
            for (pool, backends) in pools {
                for (index, backend) in backends.sorted().enumerated() {
                    let slot = Slot(anchor, pool, UInt32(index))
                    let isSticky = table.entries[.slot(slot)] == nil
                    table.entries[isSticky ? .stickySlot(slot) : .slot(slot)] = .backend(backend)
                }
            }
        }
        return table
    }
}

extension ServiceProxyModel {
    /// A model as the node "node" sees it.
    init(family: IPFamily, adoptingSlotsOf kept: ProxyTable? = nil) {
        self.init(family: family, nodeName: "node", adoptingSlotsOf: kept)
    }
}
