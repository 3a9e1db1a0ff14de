internal import Addresses
internal import NFTables

/// An element and the map or set that it stands in.
struct PlacedElement: Hashable, Sendable {
    let map: TableLayout.MapName
    let element: Element
}

extension TableLayout {
    /// The element for what happens to connections to a frontend.
    func element(_ frontend: Frontend, _ action: FrontendAction) -> PlacedElement {
        let isNodePort = frontend.address == nil
        switch action {
        case .balance(let count):
            let chain = isNodePort ? ChainName.nodeEndpoints(count) : ChainName.endpoints(count)
            return PlacedElement(
                map: isNodePort ? .nodePorts : .services, element: Element(key(frontend), .verdict(.goto(chain))))
        case .refuse:
            return PlacedElement(
                map: isNodePort ? .unservedNodePorts : .unserved,
                element: Element(key(frontend), .verdict(.goto(ChainName.refuse))))
        }
    }

    /// The element for a backend in a slot.
    func element(_ slot: Slot, _ backend: Backend) -> PlacedElement {
        var key = key(slot.frontend)
        key.append(number: slot.index)
        var target = Key()
        target.append(backend.address)
        target.append(port: backend.port)
        return PlacedElement(
            map: slot.frontend.address == nil ? .nodePortEndpoints : .endpoints, element: Element(key, .data(target)))
    }

    func clusterAddress(_ address: IPAddress) -> PlacedElement {
        PlacedElement(map: .clusterAddresses, element: Element(Key(address)))
    }

    func hairpin(_ address: IPAddress) -> PlacedElement {
        var key = Key()
        key.append(address)
        key.append(address)
        return PlacedElement(map: .hairpins, element: Element(key))
    }

    /// The one or two elements of a range of addresses.
    func localPods(_ prefix: IPPrefix) -> [PlacedElement] {
        Element.range(prefix).map { PlacedElement(map: .localPods, element: $0) }
    }

    private func key(_ frontend: Frontend) -> Key {
        var key = Key()
        if let address = frontend.address { key.append(address) }
        key.append(transportProtocol: frontend.transport.rawValue)
        key.append(port: frontend.port)
        return key
    }
}

extension TableLayout {
    /// Puts the elements that the kernel has into a table.
    ///
    /// Returns nil when there is an element that this layout cannot have: someone else wrote to the table.
    func table(of elements: [MapName: [Element]]) -> ProxyTable? {
        var table = ProxyTable(family: family)
        for (map, elements) in elements where map != .localPods {
            for element in elements {
                guard read(element, of: map, into: &table) else { return nil }
            }
        }
        guard let ranges = prefixes(elements[.localPods] ?? []) else { return nil }
        table.localPods = ranges
        return table
    }

    private func read(_ element: Element, of map: MapName, into table: inout ProxyTable) -> Bool {
        var fields = KeyReader(element.key)
        switch map {
        case .services, .nodePorts, .unserved, .unservedNodePorts:
            let hasAddress = map == .services || map == .unserved
            guard let frontend = fields.frontend(in: hasAddress ? family : nil),
                case .verdict(.goto(let chain)) = element.value
            else { return false }
            if map == .unserved || map == .unservedNodePorts {
                guard chain == ChainName.refuse else { return false }
                table.actions[frontend] = .refuse
            } else {
                guard let count = ChainName.endpointCount(chain) else { return false }
                table.actions[frontend] = .balance(over: count)
            }
        case .endpoints, .nodePortEndpoints:
            guard let frontend = fields.frontend(in: map == .endpoints ? family : nil), let index = fields.number(),
                case .data(let data) = element.value
            else { return false }
            var target = KeyReader(data)
            guard let address = target.address(family), let port = target.port() else { return false }
            table.slots[Slot(frontend, index)] = Backend(address: address, port: port)
        case .clusterAddresses:
            guard let address = fields.address(family) else { return false }
            table.clusterAddresses.insert(address)
        case .hairpins:
            guard let address = fields.address(family), fields.address(family) == address else { return false }
            table.hairpins.insert(address)
        case .localPods:
            return false
        }
        return true
    }

    /// The prefixes whose first addresses and ends these elements are.
    private func prefixes(_ elements: [Element]) -> Set<IPPrefix>? {
        var prefixes: Set<IPPrefix> = []
        let bounds = elements.compactMap { element -> (first: IPAddress, isEnd: Bool)? in
            var fields = KeyReader(element.key)
            return fields.address(family).map { ($0, element.isRangeEnd) }
        }.sorted { ($0.first, $0.isEnd ? 0 : 1) < ($1.first, $1.isEnd ? 0 : 1) }
        for (index, bound) in bounds.enumerated() where !bound.isEnd {
            let end = bounds[(index + 1)...].first
            // The kernel begins every set of ranges with an end at the address zero; and without an end the range is open.
            guard end?.isEnd ?? true, let prefix = prefix(from: bound.first, upTo: end?.first) else { return nil }
            prefixes.insert(prefix)
        }
        return prefixes
    }

    private func prefix(from first: IPAddress, upTo end: IPAddress?) -> IPPrefix? {
        (0...family.bitWidth).lazy.map { IPPrefix(first, length: $0) }
            .first { $0.first == first && $0.last.advanced(by: 1) == end }
    }
}

/// Reads the fields of a key, each of which fills whole registers of four bytes.
private struct KeyReader {
    private var rest: ArraySlice<UInt8>

    init(_ key: Key) {
        rest = key.bytes[...]
    }

    private mutating func field(_ size: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= size else { return nil }
        let field = rest.prefix(size)
        rest = rest.dropFirst((size + 3) & ~3)
        return field
    }

    mutating func address(_ family: IPFamily) -> IPAddress? {
        field(family.bitWidth / 8).flatMap { IPAddress(bytes: $0) }
    }

    mutating func port() -> UInt16? {
        field(2).map { $0.reduce(0) { $0 << 8 | UInt16($1) } }
    }

    /// A 32-bit number in the machine's byte order.
    mutating func number() -> UInt32? {
        field(4).map { $0.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) } }
    }

    /// Protocol and port, after an address if the key begins with one of a family.
    mutating func frontend(in family: IPFamily?) -> Frontend? {
        var address: IPAddress?
        if let family {
            guard let own = self.address(family) else { return nil }
            address = own
        }
        guard let transport = field(1)?.first.flatMap({ TransportProtocol(rawValue: $0) }), let port = port() else {
            return nil
        }
        return Frontend(address: address, transport: transport, port: port)
    }
}
