internal import Addresses
internal import NFTables

extension TableLayout {
    /// Puts the elements that the kernel has into a table.
    ///
    /// Returns nil when there is an element that this layout cannot have: someone else wrote to the table.
    func table(of elements: [MapName: [Element]]) -> ProxyTable? {
        var table = ProxyTable(family: family)
        for (map, elements) in elements {
            guard let content = content(of: elements, in: map) else { return nil }
            for (entry, value) in content { table.entries[entry] = value }
        }
        return table
    }

    /// What the elements of one map or set say; nil when there is an element that this layout cannot have.
    func content(of elements: [Element], in map: MapName) -> [(TableEntry, TableValue)]? {
        if let entry = map.rangeEntry { return prefixes(elements)?.map { (entry($0), .present) } }
        var content: [(TableEntry, TableValue)] = []
        content.reserveCapacity(elements.count)
        for element in elements {
            guard let read = read(element, of: map) else { return nil }
            content.append(read)
        }
        return content
    }

    /// The entries of a kind that the kernel has; nil when there is an element that this layout cannot have.
    func content(of kind: EntryKind, from kernel: any KernelConnection) throws -> [(TableEntry, TableValue)]? {
        var content: [(TableEntry, TableValue)] = []
        for map in kind.maps {
            let elements = try kernel.elements(of: table, set: map.name)
            guard let part = self.content(of: elements, in: map) else { return nil }
            content += part
        }
        return content
    }

    private func read(_ element: Element, of map: MapName) -> (TableEntry, TableValue)? {
        var fields = KeyReader(element.key)
        switch map {
        case .unserved, .unservedNodePorts:
            return fields.frontend(in: map.hasAddress ? family : nil).map { (.action($0), .action(.refuse)) }
        case .services, .nodePorts, .outsiders, .nodePortOutsiders:
            guard let frontend = fields.frontend(in: map.hasAddress ? family : nil),
                case .data(let data) = element.value, let number = ActionNumber(value: data)
            else { return nil }
            return read(number, of: frontend, in: map)
        case .aliases, .nodePortAliases:
            guard let frontend = fields.anchor(in: map.hasAddress ? family : nil),
                case .data(let data) = element.value
            else { return nil }
            var value = KeyReader(data)
            guard value.number() == 0 else { return nil }
            return value.anchor(in: family).map { (.alias(frontend), .frontend($0)) }
        case .endpoints, .stickyEndpoints:
            guard let anchor = fields.anchor(in: family), let number = fields.number(),
                case .data(let data) = element.value
            else { return nil }
            let pool: Pool = number < Pool.local.rawValue ? .everywhere : .local
            let isSticky = map == .stickyEndpoints
            var target = KeyReader(data)
            if isSticky { guard target.number() == 0 else { return nil } }
            let slot = Slot(anchor, pool, number - pool.rawValue)
            return target.backend(family).map { (isSticky ? .stickySlot(slot) : .slot(slot), .backend($0)) }
        case .members:
            guard let anchor = fields.anchor(in: family), let backend = fields.backend(family) else { return nil }
            return (.member(anchor, backend), .present)
        case .guarded: return fields.frontend(in: family).map { (.guarded($0), .present) }
        case .admitted:
            guard let frontend = fields.frontend(in: family), let first = fields.address(family),
                var end = element.lastKey.map({ KeyReader($0) }), end.frontend(in: family) == frontend,
                let last = end.address(family), let prefix = prefix(from: first, upTo: last.advanced(by: 1))
            else { return nil }
            return (.admitted(frontend, prefix), .present)
        case .clusterAddresses: return fields.address(family).map { (.clusterAddress($0), .present) }
        case .hairpins:
            guard let address = fields.address(family), fields.address(family) == address else { return nil }
            return (.hairpin(address), .present)
        case .standIns:
            guard let standIn = fields.address(family), case .data(let data) = element.value else { return nil }
            var value = KeyReader(data)
            return value.address(family.other).map { (.standIn(standIn), .address($0)) }
        case .localPods, .unmasqueraded, .nodePortRanges, .serviceRanges, .translated, .unanswered: return nil
        }
    }

    private func read(
        _ number: ActionNumber, of frontend: Frontend, in map: MapName
    ) -> (TableEntry, TableValue)? {
        let isForOutsiders = map == .outsiders || map == .nodePortOutsiders
        if number == .drop { return isForOutsiders ? nil : (.action(frontend), .action(.drop)) }
        guard let shape = number.chain, shape.isNodePort == !map.hasAddress,
            isForOutsiders == (shape.balance.entry == .outsider)
        else { return nil }
        return (isForOutsiders ? .outsiders(frontend) : .action(frontend), .action(.balance(shape.balance)))
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

extension TableLayout.MapName {
    /// Whether keys begin with an address, rather than with the protocol of a node port.
    fileprivate var hasAddress: Bool {
        switch self {
        case .nodePorts, .nodePortOutsiders, .nodePortAliases, .unservedNodePorts: false
        default: true
        }
    }

    /// What a range in this set means; nil for sets that hold more than ranges of addresses.
    fileprivate var rangeEntry: ((IPPrefix) -> TableEntry)? {
        switch self {
        case .localPods: TableEntry.localPods
        case .unmasqueraded: TableEntry.unmasqueraded
        case .nodePortRanges: TableEntry.nodePortRange
        case .serviceRanges: TableEntry.serviceRange
        case .translated: TableEntry.translated
        case .unanswered: TableEntry.unanswered
        default: nil
        }
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
        field(family.byteCount).flatMap { IPAddress(bytes: $0) }
    }

    mutating func port() -> UInt16? {
        field(2).map { $0.reduce(0) { $0 << 8 | UInt16($1) } }
    }

    /// A 32-bit number in the machine's byte order.
    mutating func number() -> UInt32? {
        field(4).map { $0.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) } }
    }

    mutating func backend(_ family: IPFamily) -> Backend? {
        guard let address = address(family), let port = port() else { return nil }
        return Backend(address: address, port: port)
    }

    /// Port and protocol, after an address if the key begins with one of a family.
    mutating func anchor(in family: IPFamily?) -> Frontend? {
        var address: IPAddress?
        if let family {
            guard let own = self.address(family) else { return nil }
            address = own
        }
        guard let port = port(), let transport = transport() else { return nil }
        return Frontend(address: address, transport: transport, port: port)
    }

    private mutating func transport() -> TransportProtocol? {
        field(1)?.first.flatMap { TransportProtocol(rawValue: $0) }
    }

    /// Protocol and port, after an address if the key begins with one of a family.
    mutating func frontend(in family: IPFamily?) -> Frontend? {
        var address: IPAddress?
        if let family {
            guard let own = self.address(family) else { return nil }
            address = own
        }
        guard let transport = transport(), let port = port() else { return nil }
        return Frontend(address: address, transport: transport, port: port)
    }
}
