package import Addresses

/// The pure compiler of one family: takes Services and EndpointSlices as they change, and yields the
/// table elements that change with them.
///
/// An event only notes which Services it touches; ``flush()`` compiles those, so that its cost follows the
/// change and not the size of the cluster.
package struct ServiceProxyModel: Sendable {
    package let family: IPFamily
    package let nodeName: String
    package let options: ProxyOptions
    package internal(set) var services: [ServiceName: ProxiedService] = [:]
    /// The Services that balancers ask for.
    var checkedServices: Set<ServiceName> = []
    var slices: [ServiceName: ProxiedSlice] = [:]
    /// The slices of each Service, sorted; small arrays take half of what sets do, and most Services have one slice.
    var slicesOfService: [ServiceName: [ServiceName]] = [:]
    var dirty: Set<ServiceName> = []
    /// The Services that reach endpoints of the other family where they can.
    var crossFamilyServices: Set<ServiceName> = []
    /// What namespaces say of translation for those of their Services that say nothing.
    var namespaceWishes: [String: Bool] = [:]
    /// Whether there is a translator.
    var isTranslating = false
    /// The endpoints of the other family that each Service has, under the addresses that stand for them.
    var translatedSlices: [ServiceName: [ProxiedSlice]] = [:]
    var standIns = StandIns()
    /// The Services of which endpoints are left out, because no address is free that could stand for them.
    package internal(set) var lacking: Set<ServiceName> = []

    /// What each frontend leads to at present.
    var frontends: [Frontend: FrontendState] = [:]
    /// The slots of each Service port, by its frontend on the cluster address.
    var ports: [Frontend: PortState] = [:]
    /// The frontends that each Service wants, each once.
    var claims: [ServiceName: [Frontend]] = [:]
    /// The Services that want a frontend which one that stands before them holds.
    var contenders: [Frontend: [ServiceName: ProxiedService.Kind]] = [:]
    /// Those who came to wait for a frontend since the last flush.
    var conflicts: Set<FrontendConflict> = []
    /// How many frontends have a cluster address, and how many slots lead to a backend's address.
    var clusterAddressUses: [IPAddress: Int] = [:]
    var hairpinUses: [IPAddress: Int] = [:]
    /// Slot orders that were found in the kernel and not yet claimed.
    var adopted: [Frontend: [Pool: [Backend]]] = [:]
    package internal(set) var node = ProxiedNode()
    /// Further blocks of this node's pods, which the Node does not tell.
    var furtherPods: Set<IPPrefix> = []
    /// The ranges in which Services get their addresses.
    var serviceRanges: Set<IPPrefix> = []
    var flushedRanges: Set<TableEntry> = []

    /// A model without Services.
    /// - Parameter kept: the table found in the kernel; backends keep the slots that they have in it.
    package init(
        family: IPFamily, nodeName: String, options: ProxyOptions = ProxyOptions(),
        adoptingSlotsOf kept: ProxyTable? = nil
    ) {
        self.family = family
        self.nodeName = nodeName
        self.options = options
        adopted = kept?.slotOrders() ?? [:]
        standIns = StandIns(adopting: kept?.standIns ?? [:])
    }

    /// Takes a Service as it is now; nil when it is gone or nothing to proxy in this family.
    package mutating func set(_ service: ProxiedService?, named name: ServiceName) {
        guard services[name] != service else { return }
        services[name] = service
        if service?.healthCheckPort != nil { checkedServices.insert(name) } else { checkedServices.remove(name) }
        if let service, isCrossFamily(service) {
            crossFamilyServices.insert(name)
        } else {
            crossFamilyServices.remove(name)
        }
        dirty.insert(name)
    }

    /// Takes an EndpointSlice as it is now; nil when it is gone or of no concern to this family.
    package mutating func set(_ slice: ProxiedSlice?, named name: ServiceName) {
        let old = slices[name]
        guard old != slice else { return }
        if let old {
            dirty.insert(old.service)
            if old.service != slice?.service {
                slicesOfService[old.service]?.removeAll { $0 == name }
                if slicesOfService[old.service]?.isEmpty == true { slicesOfService[old.service] = nil }
            }
        }
        if let slice {
            dirty.insert(slice.service)
            if old?.service != slice.service { slicesOfService[slice.service, default: []].insert(sorted: name) }
        }
        slices[name] = slice
    }

    /// Takes this node as it is now.
    package mutating func set(_ node: ProxiedNode) {
        // Hints name zones, and the sources that a load balancer admits may name the node itself.
        if node.zone != self.node.zone || node.addresses != self.node.addresses { dirty.formUnion(services.keys) }
        let addresses = translationAddresses
        self.node = node
        if translationAddresses != addresses { dirty.formUnion(crossFamilyServices) }
    }

    /// Takes the blocks of this node's pods beyond those that the Node tells.
    package mutating func set(furtherPods: Set<IPPrefix>) {
        let addresses = translationAddresses
        self.furtherPods = furtherPods
        if translationAddresses != addresses { dirty.formUnion(crossFamilyServices) }
    }

    /// Takes the ranges in which Services get their addresses.
    package mutating func set(serviceRanges: Set<IPPrefix>) {
        self.serviceRanges = serviceRanges.filter { $0.family == family }
    }

    /// Notes that a Service's endpoints of the other family change.
    package mutating func noteChange(ofOtherFamilyOf service: ServiceName) {
        if crossFamilyServices.contains(service) { dirty.insert(service) }
    }

    /// The slices of a Service, in an order that does not depend on when they came.
    func ownSlices(of service: ServiceName) -> [ProxiedSlice] {
        (slicesOfService[service] ?? []).compactMap { slices[$0] }
    }

    /// The endpoints of a Service, as slices; those of the other family under the addresses that stand for them.
    func endpoints(of service: ServiceName) -> [ProxiedSlice] {
        ownSlices(of: service) + (translatedSlices[service] ?? [])
    }

    /// Whether ``flush()`` would do anything.
    package var hasPendingChanges: Bool { !dirty.isEmpty || ranges != flushedRanges }

    /// Ends adoption: slot orders that no Service claimed so far are forgotten.
    package mutating func forgetAdoptedSlots() {
        adopted = [:]
    }

    /// The whole table as of the last flush.
    /// - Complexity: O(n) in the number of slots.
    package var table: ProxyTable {
        var table = ProxyTable(family: family)
        forEachEntry { table.entries[$0] = $1 }
        return table
    }

    /// Calls `body` with each entry of the table as of the last flush, once.
    /// - Complexity: O(n) in the number of slots.
    func forEachEntry(_ body: (TableEntry, TableValue) -> Void) {
        for (frontend, state) in frontends { state.forEachEntry(of: frontend, body) }
        for (anchor, state) in ports { state.forEachEntry(of: anchor, body) }
        for address in clusterAddressUses.keys { body(.clusterAddress(address), .present) }
        for address in hairpinUses.keys { body(.hairpin(address), .present) }
        for range in flushedRanges { body(range, .present) }
        for (standIn, endpoint) in standIns.settled { body(.standIn(standIn), .address(endpoint)) }
    }
}

/// What a frontend leads to at present.
struct FrontendState: Hashable, Sendable {
    var owner: ServiceName
    var kind: ProxiedService.Kind
    var action: FrontendAction
    /// What callers from outside this node meet, where that differs.
    var outsiders: Balance?
    /// The frontend whose slots it shares, when it is not the cluster address itself.
    var anchor: Frontend?
    /// The sources that it admits; nil when it admits all.
    var admitted: Set<IPPrefix>?
    /// The addresses that serve it, where it takes datagrams: a flow towards another is stale.
    var serving: Set<IPAddress>

    /// Calls `body` with each element that the state is made of.
    func forEachEntry(of frontend: Frontend, _ body: (TableEntry, TableValue) -> Void) {
        body(.action(frontend), .action(action))
        if let outsiders { body(.outsiders(frontend), .action(.balance(outsiders))) }
        if let anchor, case .balance = action { body(.alias(frontend), .frontend(anchor)) }
        guard let admitted else { return }
        body(.guarded(frontend), .present)
        for prefix in admitted { body(.admitted(frontend, prefix), .present) }
    }
}

/// The endpoints of a Service port at present.
struct PortState: Hashable, Sendable {
    /// The backends in slot order, of each pool that anything draws from.
    private var everywhere: [Backend]?
    private var local: [Backend]?
    /// Whether clients keep their endpoints.
    let isSticky: Bool

    init(isSticky: Bool) {
        self.isSticky = isSticky
    }

    /// The backends of a pool in slot order; nil when nothing draws from it.
    subscript(pool: Pool) -> [Backend]? {
        get { pool == .everywhere ? everywhere : local }
        set { if pool == .everywhere { everywhere = newValue } else { local = newValue } }
    }

    /// The backend of every slot.
    var backends: [Backend] {
        (everywhere ?? []) + (local ?? [])
    }

    /// Whether a backend has a slot.
    func contains(_ backend: Backend) -> Bool {
        everywhere?.contains(backend) == true || local?.contains(backend) == true
    }

    /// Calls `body` with each element that the state is made of.
    func forEachEntry(of anchor: Frontend, _ body: (TableEntry, TableValue) -> Void) {
        for pool in Pool.allCases {
            for (index, backend) in (self[pool] ?? []).enumerated() {
                let slot = Slot(anchor, pool, UInt32(index))
                body(isSticky ? .stickySlot(slot) : .slot(slot), .backend(backend))
                if isSticky { body(.member(anchor, backend), .present) }
            }
        }
    }
}

extension Array where Element: Comparable {
    /// Puts an element into a sorted array, in its place.
    /// - Complexity: O(n), to move those behind it.
    fileprivate mutating func insert(sorted element: Element) {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        insert(element, at: low)
    }
}
