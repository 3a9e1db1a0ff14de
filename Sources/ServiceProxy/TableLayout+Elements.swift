internal import Addresses
internal import NFTables

/// An element and the map or set that it stands in.
struct PlacedElement: Hashable, Sendable {
    let map: TableLayout.MapName
    let element: Element
}

extension TableLayout {
    /// The elements that say `value` of an entry; a range is two.
    func elements(_ entry: TableEntry, _ value: TableValue) -> [PlacedElement] {
        switch (entry, value) {
        case (.action(let frontend), .action(let action)): [element(frontend, action)]
        case (.outsiders(let frontend), .action(.balance(let balance))):
            [
                placed(
                    frontend.address == nil ? .nodePortOutsiders : .outsiders, key(frontend),
                    .data(ActionNumber(shape(frontend, balance)).value))
            ]
        case (.alias(let frontend), .frontend(let anchor)):
            [alias(frontend, anchor)]
        case (.slot(let slot), .backend(let backend)): [element(slot, backend, isSticky: false)]
        case (.stickySlot(let slot), .backend(let backend)): [element(slot, backend, isSticky: true)]
        case (.member(let anchor, let backend), .present): [member(anchor, backend)]
        case (.clusterAddress(let address), .present): [placed(.clusterAddresses, Key(address))]
        case (.hairpin(let address), .present): [hairpin(address)]
        case (.localPods(let prefix), .present): ranges(.localPods, prefix)
        case (.unmasqueraded(let prefix), .present): ranges(.unmasqueraded, prefix)
        case (.nodePortRange(let prefix), .present): ranges(.nodePortRanges, prefix)
        case (.serviceRange(let prefix), .present): ranges(.serviceRanges, prefix)
        case (.translated(let prefix), .present): ranges(.translated, prefix)
        case (.unanswered(let prefix), .present): ranges(.unanswered, prefix)
        case (.standIn(let standIn), .address(let endpoint)):
            [placed(.standIns, Key(standIn), .data(Key(endpoint)))]
        case (.guarded(let frontend), .present): [placed(.guarded, key(frontend))]
        case (.admitted(let frontend, let prefix), .present): [admitted(frontend, prefix)]
        default: []
        }
    }

    /// The shape of the chain that an entry's value leads to; nil where it leads to none.
    func shape(_ entry: TableEntry, _ value: TableValue) -> ChainShape? {
        switch (entry, value) {
        case (.action(let frontend), .action(.balance(let balance))),
            (.outsiders(let frontend), .action(.balance(let balance))):
            shape(frontend, balance)
        default: nil
        }
    }

    private func shape(_ frontend: Frontend, _ balance: Balance) -> ChainShape {
        ChainShape(balance, isNodePort: frontend.address == nil)
    }

    private func placed(_ map: MapName, _ key: Key, _ value: Element.Value = .none) -> PlacedElement {
        PlacedElement(map: map, element: Element(key, value))
    }

    private func element(_ frontend: Frontend, _ action: FrontendAction) -> PlacedElement {
        let isNodePort = frontend.address == nil
        let number: ActionNumber
        switch action {
        case .balance(let balance): number = ActionNumber(shape(frontend, balance))
        case .drop: number = .drop
        case .refuse: return placed(isNodePort ? .unservedNodePorts : .unserved, key(frontend))
        }
        return placed(isNodePort ? .nodePorts : .services, key(frontend), .data(number.value))
    }

    private func element(_ slot: Slot, _ backend: Backend, isSticky: Bool) -> PlacedElement {
        var key = Key()
        key.append(anchor: slot.anchor)
        key.append(number: slot.number)
        var target = Key()
        if isSticky { target.append(number: 0) }
        target.append(backend)
        return placed(isSticky ? .stickyEndpoints : .endpoints, key, .data(target))
    }

    private func alias(_ frontend: Frontend, _ anchor: Frontend) -> PlacedElement {
        var key = Key()
        key.append(anchor: frontend)
        var target = Key()
        target.append(number: 0)
        target.append(anchor: anchor)
        return placed(frontend.address == nil ? .nodePortAliases : .aliases, key, .data(target))
    }

    private func member(_ anchor: Frontend, _ backend: Backend) -> PlacedElement {
        var key = Key()
        key.append(anchor: anchor)
        key.append(backend)
        return placed(.members, key)
    }

    private func hairpin(_ address: IPAddress) -> PlacedElement {
        var key = Key()
        key.append(address)
        key.append(address)
        return placed(.hairpins, key)
    }

    private func ranges(_ map: MapName, _ prefix: IPPrefix) -> [PlacedElement] {
        Element.range(prefix).map { PlacedElement(map: map, element: $0) }
    }

    private func admitted(_ frontend: Frontend, _ prefix: IPPrefix) -> PlacedElement {
        var first = key(frontend)
        var last = first
        first.append(prefix.first)
        last.append(prefix.last)
        return PlacedElement(map: .admitted, element: Element(first, lastKey: last))
    }

    private func key(_ frontend: Frontend) -> Key {
        var key = Key()
        if let address = frontend.address { key.append(address) }
        key.append(transportProtocol: frontend.transport.rawValue)
        key.append(port: frontend.port)
        return key
    }
}

extension Key {
    /// Appends what the slots of a Service port are kept under, in the order of `BalanceRules`.
    fileprivate mutating func append(anchor: Frontend) {
        if let address = anchor.address { append(address) }
        // The first field of a key is not filled up, and a port that another follows must be.
        append(port: anchor.port)
        append(transportProtocol: anchor.transport.rawValue)
    }

    fileprivate mutating func append(_ backend: Backend) {
        append(backend.address)
        append(port: backend.port)
    }
}
