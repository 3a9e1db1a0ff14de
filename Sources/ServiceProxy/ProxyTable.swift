package import Addresses

/// What an element of the kernel's table is about.
package enum TableEntry: Hashable, Sendable {
    /// What happens to a new connection to a frontend.
    case action(Frontend)
    /// What happens to it when it comes from outside this node, where that differs.
    case outsiders(Frontend)
    /// The frontend on the cluster address whose slots another frontend shares.
    case alias(Frontend)
    /// The backend in a slot.
    case slot(Slot)
    /// The backend in a slot of a Service whose clients keep their endpoints.
    case stickySlot(Slot)
    /// A backend that may keep clients of a frontend with affinity.
    case member(Frontend, Backend)
    /// A cluster address: a new connection to it on a port without an action is refused.
    case clusterAddress(IPAddress)
    /// The address of a backend: a connection from it to itself is masqueraded.
    case hairpin(IPAddress)
    /// Addresses of this node's pods.
    case localPods(IPPrefix)
    /// Sources that keep their address towards cluster addresses.
    case unmasqueraded(IPPrefix)
    /// Addresses of the node that node ports answer on.
    case nodePortRange(IPPrefix)
    /// Addresses that are given to Services only: a connection to one that no Service has is dropped.
    case serviceRange(IPPrefix)
    /// Addresses that are translated to the other family on their way.
    case translated(IPPrefix)
    /// Translated sources that are masqueraded, because no answer to them would find this node.
    case unanswered(IPPrefix)
    /// An address that stands for an endpoint of the other family.
    case standIn(IPAddress)
    /// A frontend that admits some sources only.
    case guarded(Frontend)
    /// Sources that a guarded frontend admits.
    case admitted(Frontend, IPPrefix)
}

extension TableEntry {
    /// The slot that it is about; nil for other entries.
    package var slot: Slot? {
        switch self {
        case .slot(let slot), .stickySlot(let slot): slot
        default: nil
        }
    }
}

/// What an element of the kernel's table says.
package enum TableValue: Hashable, Sendable {
    /// Nothing more than that it is there.
    case present
    case action(FrontendAction)
    case frontend(Frontend)
    case backend(Backend)
    case address(IPAddress)
}

/// What the kernel's table of one family shall hold, or was found to hold.
///
/// Every entry is one element of an nftables map or set; nothing in it depends on an order of events except which slot
/// a backend stands in.
package struct ProxyTable: Hashable, Sendable {
    package let family: IPFamily
    package var entries: [TableEntry: TableValue] = [:]

    package init(family: IPFamily) {
        self.family = family
    }

    /// The backends of every Service port and pool whose slots are complete from the first, in slot order.
    func slotOrders() -> [Frontend: [Pool: [Backend]]] {
        var slots: [Frontend: [Pool: [UInt32: Backend]]] = [:]
        for (entry, value) in entries {
            guard let slot = entry.slot, case .backend(let backend) = value else { continue }
            slots[slot.anchor, default: [:]][slot.pool, default: [:]][slot.index] = backend
        }
        return slots.mapValues { pools in
            pools.mapValues { backends in
                (0..<UInt32(backends.count)).map { backends[$0] }.prefix { $0 != nil }.compactMap(\.self)
            }
        }
    }

    /// The endpoint of the other family behind each address that stands for one.
    var standIns: [IPAddress: IPAddress] {
        entries.reduce(into: [:]) { standIns, entry in
            if case (.standIn(let standIn), .address(let endpoint)) = entry { standIns[standIn] = endpoint }
        }
    }

    /// The difference that turns this table into `target`.
    /// - Complexity: O(n) in the size of both tables.
    package func difference(to target: ProxyTable) -> TableDifference {
        var difference = TableDifference(family: family)
        for (entry, old) in entries { difference.note(entry, from: old, to: target.entries[entry]) }
        for (entry, new) in target.entries where entries[entry] == nil { difference.note(entry, from: nil, to: new) }
        return difference
    }

    /// Applies a difference that was made for this table.
    package mutating func apply(_ difference: TableDifference) {
        for (entry, change) in difference.changes { entries[entry] = change.new }
    }
}
