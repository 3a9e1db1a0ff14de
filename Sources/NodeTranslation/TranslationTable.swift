package import Addresses
package import NFTables

/// The nftables table through which all packets of translated pods go behind the translator, whichever it is.
///
/// It refuses destinations, lets nobody begin a connection to a private address, counts, and gives packets the address by
/// which they leave. Connection tracking owns the sessions.
///
/// It also is the CLAT of pods that want one (RFC 6877): what a CLAT and a translator behind it make of a packet is one IPv4
/// address in place of another.
package enum TranslationTable {
    /// The table.
    package static let table = Table(family: .ip, name: "duet-nat64")

    /// The sets by name.
    ///
    /// Nothing in the kernel asks which pods there are: so a later agent, and whoever lists the table, knows them.
    enum SetName: String, CaseIterable {
        case translated, clat, links, egress, destinations
    }

    static let sets: [NamedSet] = SetName.allCases.map { name in
        let key = [DataType.address(.ipv4)]
        return switch name {
        case .translated, .clat:
            NamedSet(table: table, name: name.rawValue, key: key, value: .data([.address(.ipv6)]))
        case .links:
            NamedSet(
                table: table, name: name.rawValue, key: [.interfaceIndex], value: .data([.address(.ipv4)]))
        case .egress: NamedSet(table: table, name: name.rawValue, key: key, value: .data([.address(.ipv4)]))
        case .destinations: NamedSet(table: table, name: name.rawValue, key: key, value: .verdict, flags: .interval)
        }
    }

    private static let prerouting = Chain(
        table: table, name: "prerouting", base: .init(.filter, .prerouting, priority: Chain.Priority.mangle))
    private static let forward = Chain(
        table: table, name: "forward", base: .init(.filter, .forward, priority: Chain.Priority.filter))
    // Before the masquerading of pods' own addresses, which these are none of.
    private static let postrouting = Chain(
        table: table, name: "postrouting", base: .init(.nat, .postrouting, priority: Chain.Priority.sourceNAT - 1))

    static let chains: [Chain] =
        [prerouting, forward, postrouting] + clatChains
        + Destinations.Reason.allCases.map { Chain(table: table, name: chain($0)) }

    static func chain(_ reason: Destinations.Reason) -> String { "refuse-\(reason)" }

    /// Code 13 of "destination unreachable": an administrator forbids it.
    private static let prohibited: UInt8 = 13

    /// Rules that count something of interest.
    enum Figure: Hashable {
        case refused(Destinations.Reason)
        case unasked
        case fromPods
        case toPods
        case fromNodes
        case toNodes
    }

    /// Whose packets the rules are about.
    package struct Ranges: Hashable, Sendable {
        /// The private addresses of this node's pods.
        package let pods: IPPrefix
        /// The addresses that stand for other nodes, whose translated packets leave by this one.
        package let nodes: IPPrefix

        package init(pods: IPPrefix, nodes: IPPrefix) {
            self.pods = pods
            self.nodes = nodes
        }
    }

    /// The rules, in order, with what each counts.
    static func rules(_ ranges: Ranges) -> [(rule: Rule, figure: Figure?)] {
        var rules = rules(ranges.pods, .fromPods, .toPods) + rules(ranges.nodes, .fromNodes, .toNodes)
        for reason in Destinations.Reason.allCases {
            rules.append(
                (
                    Chain(table: table, name: chain(reason)), [.counter, .reject(.icmp(code: prohibited))],
                    .refused(reason)
                ))
        }
        rules += clatRules.map { ($0, $1, nil) }
        return rules.map { (Rule(table: table, chain: $0.name, $1).stamped(), $2) }
    }

    /// What packets from and to a range go through.
    private static func rules(
        _ range: IPPrefix, _ from: Figure, _ to: Figure
    ) -> [(Chain, [Expression], Figure?)] {
        let (first, second) = (Register(0), Register(4))
        let isFromRange = Expression.address(.source, in: range)
        let isToRange = Expression.address(.destination, in: range)
        let isNew: [Expression] = [
            .connection(.state, first),
            .bitwise(first, mask: ConnectionState.new.registerBytes, xor: UInt32(0).registerBytes, first),
            .compare(first, .notEqual, UInt32(0).registerBytes),
        ]
        let isLocal: [Expression] = [
            .fib(.destinationKind, first), .compare(first, .equal, AddressKind.local.registerBytes),
        ]
        return [
            (
                prerouting,
                isFromRange + [
                    .address(.destination, .ipv4), .verdictMap(SetName.destinations.rawValue, first),
                ], nil
            ),
            (prerouting, isFromRange + isLocal + [.verdict(.goto(chain(.nodes)))], nil),
            (forward, isToRange + isNew + [.counter, .verdict(.drop)], .unasked),
            (forward, isToRange + [.counter], to), (forward, isFromRange + [.counter], from),
            (
                postrouting,
                isFromRange + [
                    .address(.source, .ipv4), .lookup(map: SetName.egress.rawValue, first, into: second),
                    .nat(.source, .ipv4, address: second),
                ], nil
            ), (postrouting, isFromRange + [.masquerade()], nil),
        ]
    }

    /// The elements of a set.
    static func elements(_ content: Content, _ set: SetName) -> [Element] {
        switch set {
        case .translated: elements(content.translated.mapValues { .v6($0) })
        case .clat: elements(content.clat.mapValues { .v6($0) })
        case .links:
            content.links.map { link, address in
                Element(Key(bytes: UInt32(bitPattern: link).registerBytes), .data(Key(.v4(address))))
            }
        case .egress: elements(content.egress.mapValues { .v4($0) })
        // In order, since the kernel looks for overlaps as elements come.
        case .destinations: content.destinations.spans.flatMap(elements)
        }
    }

    private static func elements(_ addresses: [IPv4Address: IPAddress]) -> [Element] {
        addresses.map { Element(Key(.v4($0)), .data(Key($1))) }
    }

    static func elements(_ span: Destinations.Span) -> [Element] {
        let start = Element(Key(.v4(span.first)), .verdict(span.reason.map { .goto(chain($0)) } ?? .accept))
        guard let behind = IPAddress.v4(span.last).advanced(by: 1) else { return [start] }
        return [start, Element(Key(behind), isRangeEnd: true)]
    }

    /// The pods that a set's elements tell of.
    static func pods(_ elements: [Element]) -> [IPv4Address: IPv6Address] {
        var pods: [IPv4Address: IPv6Address] = [:]
        for element in elements {
            guard case .v4(let address)? = IPAddress(bytes: element.key.bytes), case .data(let data) = element.value,
                case .v6(let pod)? = IPAddress(bytes: data.bytes)
            else { continue }
            pods[address] = pod
        }
        return pods
    }

    /// The pairs of addresses that a set's elements hold.
    static func addresses(_ elements: [Element]) -> [IPv4Address: IPv4Address] {
        var pairs: [IPv4Address: IPv4Address] = [:]
        for element in elements {
            guard case .v4(let key)? = IPAddress(bytes: element.key.bytes), case .data(let data) = element.value,
                case .v4(let value)? = IPAddress(bytes: data.bytes)
            else { continue }
            pairs[key] = value
        }
        return pairs
    }

    /// Builds the table anew, whatever it held before.
    package static func rebuilding(_ ranges: Ranges, _ content: Content) -> Transaction {
        var transaction = Transaction([.addTable(table), .deleteTable(table), .addTable(table)])
        for chain in chains { transaction.append(.addChain(chain)) }
        for set in sets { transaction.append(.addSet(set)) }
        for set in SetName.allCases {
            transaction.append(.addElements(table, set: set.rawValue, elements(content, set)))
        }
        for (rule, _) in rules(ranges) { transaction.append(.addRule(rule)) }
        return transaction
    }
}
