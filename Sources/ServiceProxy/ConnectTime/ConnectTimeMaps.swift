internal import Addresses
internal import BPF
internal import CBPFObjects

/// The maps that the programs decide by, and the translation of the table's entries to their elements.
///
/// Both families share them. An entry is one element, so that a change costs what it does in nftables.
struct ConnectTimeMaps: ~Copyable {
    private let balances: BPFMap<duet_frontend, duet_balance>
    private let aliases: BPFMap<duet_frontend, duet_frontend>
    private let guarded: BPFMap<duet_frontend, UInt32>
    private let slots: BPFMap<duet_slot, duet_backend>
    private let members: BPFMap<duet_member, UInt32>
    private let nodePortRanges: BPFMap<duet_prefix, UInt32>
    private let nodeAddresses: BPFMap<duet_address, UInt32>
    private let flows: BPFMap<duet_flow, duet_flow_end>
    private let origins: BPFMap<duet_answer, duet_frontend>

    /// The maps that are pinned in a directory.
    init(pinnedIn directory: String) throws(BPFError) {
        // Owners cannot be left half-made, so all are found before the first is kept.
        let balances = try BPFMap<duet_frontend, duet_balance>(pinnedAt: "\(directory)/balances")
        let aliases = try BPFMap<duet_frontend, duet_frontend>(pinnedAt: "\(directory)/aliases")
        let guarded = try BPFMap<duet_frontend, UInt32>(pinnedAt: "\(directory)/guarded")
        let slots = try BPFMap<duet_slot, duet_backend>(pinnedAt: "\(directory)/slots")
        let members = try BPFMap<duet_member, UInt32>(pinnedAt: "\(directory)/members")
        let nodePortRanges = try BPFMap<duet_prefix, UInt32>(pinnedAt: "\(directory)/node_port_ranges")
        let nodeAddresses = try BPFMap<duet_address, UInt32>(pinnedAt: "\(directory)/node_addresses")
        let flows = try BPFMap<duet_flow, duet_flow_end>(pinnedAt: "\(directory)/flows")
        let origins = try BPFMap<duet_answer, duet_frontend>(pinnedAt: "\(directory)/origins")
        self.balances = balances
        self.aliases = aliases
        self.guarded = guarded
        self.slots = slots
        self.members = members
        self.nodePortRanges = nodePortRanges
        self.nodeAddresses = nodeAddresses
        self.flows = flows
        self.origins = origins
    }

    /// What the maps hold for a family: of a table what concerns calls that are led while they are made.
    /// - Complexity: O(n) in the size of the maps.
    func content(_ family: IPFamily) throws(BPFError) -> ProxyTable {
        var table = ProxyTable(family: family)
        try forEachEntry(of: family) { table.entries[$0] = $1 }
        return table
    }

    /// Calls `body` with each entry that the maps hold for a family.
    /// - Complexity: O(n) in the size of the maps.
    func forEachEntry(of family: IPFamily, _ body: (TableEntry, TableValue) -> Void) throws(BPFError) {
        func isOurs(_ key: duet_frontend) -> Bool { IPAddress(words: key.address).family == family }
        try balances.forEach { key, value in
            if isOurs(key), let frontend = Frontend(key), let action = FrontendAction(value) {
                body(.action(frontend), .action(action))
            }
        }
        try aliases.forEach { key, value in
            if isOurs(key), let frontend = Frontend(key), let anchor = Frontend(value) {
                body(.alias(frontend), .frontend(anchor))
            }
        }
        try guarded.forEach { key, _ in
            if isOurs(key), let frontend = Frontend(key) { body(.guarded(frontend), .present) }
        }
        try slots.forEach { key, value in
            if isOurs(key.anchor), let slot = Slot(key) { body(.slot(slot), .backend(Backend(value))) }
        }
        try members.forEach { key, _ in
            if isOurs(key.anchor), let anchor = Frontend(key.anchor) {
                body(.member(anchor, Backend(key.backend)), .present)
            }
        }
        try nodePortRanges.forEach { key, _ in
            let prefix = IPPrefix(key)
            if prefix.address.family == family { body(.nodePortRange(prefix), .present) }
        }
    }

    /// Applies a difference, in an order in which a call in the middle finds the old or the new state, or is left to
    /// nftables.
    func apply(_ difference: TableDifference) throws(BPFError) {
        let family = difference.family
        var last: [(TableEntry, TableValue?)] = []
        var actions: [(TableEntry, TableValue?)] = []
        for (entry, value) in difference.connectTimePart {
            switch entry {
            case .action: actions.append((entry, value))
            // What a frontend leads to is there before the frontend, and goes after it.
            case _ where value == nil: last.append((entry, nil))
            default: try set(entry, to: value, family)
            }
        }
        for (entry, value) in actions + last { try set(entry, to: value, family) }
    }

    private func set(_ entry: TableEntry, to value: TableValue?, _ family: IPFamily) throws(BPFError) {
        switch (entry, value) {
        case (.action(let frontend), .action(let action)): try balances.set(frontend.key(family), to: action.value)
        case (.action(let frontend), _): try balances.remove(frontend.key(family))
        case (.alias(let frontend), .frontend(let anchor)):
            try aliases.set(frontend.key(family), to: anchor.key(family))
        case (.alias(let frontend), _): try aliases.remove(frontend.key(family))
        case (.slot(let slot), .backend(let backend)): try slots.set(slot.key(family), to: backend.value)
        case (.slot(let slot), _): try slots.remove(slot.key(family))
        case (.guarded(let frontend), .present): try guarded.set(frontend.key(family), to: 1)
        case (.guarded(let frontend), _): try guarded.remove(frontend.key(family))
        case (.member(let anchor, let backend), let value):
            let key = duet_member(anchor: anchor.key(family), backend: backend.value)
            if value == nil { try members.remove(key) } else { try members.set(key, to: 1) }
        case (.nodePortRange(let prefix), .present): try nodePortRanges.set(prefix.key, to: 1)
        case (.nodePortRange(let prefix), _): try nodePortRanges.remove(prefix.key)
        // The rest is no part of the maps.
        case (.stickySlot, _), (.outsiders, _), (.clusterAddress, _), (.hairpin, _), (.localPods, _),
            (.unmasqueraded, _), (.serviceRange, _), (.admitted, _), (.translated, _), (.unanswered, _), (.standIn, _):
            return
        }
    }

    /// Takes the addresses that the node has now.
    func set(nodeAddresses wanted: Set<IPAddress>) throws(BPFError) {
        var found: Set<IPAddress> = []
        try nodeAddresses.forEach { key, _ in found.insert(IPAddress(words: key.words)) }
        for address in wanted.subtracting(found) { try nodeAddresses.set(duet_address(words: address.words), to: 1) }
        try nodeAddresses.remove(found.subtracting(wanted).map { duet_address(words: $0.words) })
    }

    /// A datagram socket that is connected to an endpoint, through a Service.
    struct Connected: Hashable {
        let socket: UInt64
        let backend: Backend
    }

    /// A datagram flow that a socket has.
    typealias Flow = (key: duet_flow, end: duet_flow_end)

    /// The datagram flows that lead where no endpoint serves any more.
    /// - Complexity: O(n) in the number of flows.
    func find(_ stale: StaleFlows) throws(BPFError) -> [Flow] {
        var found: [Flow] = []
        try flows.forEach { flow, end in
            guard let called = Frontend(flow.frontend) else { return }
            if stale.contains(called, answeredBy: IPAddress(words: end.backend.address)) { found.append((flow, end)) }
        }
        return found
    }

    /// Forgets flows: the next datagram gets another endpoint.
    func forget(_ gone: [Flow]) throws(BPFError) {
        try flows.remove(gone.map(\.key))
        try origins.remove(gone.map { duet_answer(socket: $0.key.socket, backend: $0.end.backend, padding: 0) })
    }

    /// The sockets that would go on sending where a flow of theirs leads.
    static func connected(_ flows: [Flow]) -> Set<Connected> {
        Set(
            flows.filter { $0.end.is_connected != 0 }
                .map { Connected(socket: $0.key.socket, backend: Backend($0.end.backend)) })
    }
}
