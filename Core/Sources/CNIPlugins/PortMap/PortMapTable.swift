import Addresses
import NFTables

/// The nftables table of one family that maps ports of the host to pods.
///
/// A map leads from address, protocol and port of the host to address and port of a pod, so that a packet costs the
/// same with one mapping and with thousands. Networks with the same conditions and mark bit share a map; its elements
/// carry the name of the attachment that they belong to.
struct PortMapTable: Hashable {
    /// The family.
    let family: IPFamily
    /// The bit of a packet's mark that asks for masquerading.
    let markBit: Int
    /// What packets must meet.
    let conditions: [PortCondition]

    /// The table of a family.
    static func table(_ family: IPFamily) -> Table { Table(family: Table.Family(family), name: "duet-portmap") }

    private static let lookup = "hostports"
    // Services and the mappings of other plugins go first, as with the reference plugin.
    private static let destinationPriority = Chain.Priority.destinationNAT + 1
    // Before the masquerading of whole networks, which would leave out what stays in a subnet.
    private static let sourcePriority = Chain.Priority.sourceNAT - 1

    /// The table.
    var table: Table { Self.table(family) }

    /// What tells maps of different networks apart; the usual settings have none.
    private var suffix: String {
        if markBit == 13 && conditions.isEmpty { return "" }
        let text = "\(markBit) " + conditions.map(\.description).joined(separator: " ")
        return "-" + SHA512.hexadecimal(text, count: 8)
    }

    /// For which addresses of the host a mapping holds; in the order of the rules, the closest first.
    enum Scope: CaseIterable {
        /// For the one that it names.
        case address
        /// For all of the family.
        case any

        var prefix: String { self == .address ? "hostip-" : "" }
    }

    /// The map from protocol and port of the host, behind the address where it matters, to the pod's address and port.
    func map(_ scope: Scope) -> NamedSet {
        NamedSet(
            table: table, name: "\(scope.prefix)hostports\(suffix)", key: key(scope),
            value: .data([.address(family), .port]))
    }

    private func key(_ scope: Scope) -> [DataType] {
        (scope == .address ? [.address(family)] : []) + [.transportProtocol, .port]
    }

    /// The sources whose connections to a key of the map are masqueraded.
    func sources(_ scope: Scope) -> NamedSet {
        NamedSet(
            table: table, name: "\(scope.prefix)sources\(suffix)", key: [.address(family)] + key(scope),
            flags: .interval)
    }

    /// The chains.
    var chains: [Chain] {
        let hooks: [(name: String, base: Chain.Base?)] = [
            (Self.lookup, nil),
            ("prerouting", Chain.Base(.nat, .prerouting, priority: Self.destinationPriority)),
            ("output", Chain.Base(.nat, .output, priority: Self.destinationPriority)),
            ("postrouting", Chain.Base(.nat, .postrouting, priority: Self.sourcePriority)),
            ("guard", Chain.Base(.filter, .prerouting, priority: Chain.Priority.raw)),
        ]
        return hooks.map { Chain(table: table, name: $0.name, base: $0.base) }
    }

    /// The rules that all networks share, and those of this one's settings.
    var rules: [Rule] {
        ["prerouting", "output"].map { chain in
            Rule(
                table: table, chain: chain,
                ownAddress + [
                    .fib(.destinationKind, Register(0)),
                    .compare(Register(0), .equal, AddressKind.local.registerBytes), .verdict(.jump(Self.lookup)),
                ])
        } + loopbackGuard + Scope.allCases.flatMap(lookups) + [
            Rule(
                table: table, chain: "postrouting",
                [
                    .meta(.mark, Register(0)),
                    .bitwise(Register(0), mask: mark.registerBytes, xor: UInt32(0).registerBytes, Register(0)),
                    .compare(Register(0), .equal, mark.registerBytes), .masquerade(),
                ])
        ]
    }

    /// Leaves out `::1`: the kernel takes no answer from another link for it (net/ipv6/route.c, `rt6_need_strict`), so a
    /// connection would wait in vain, where it is now refused or reaches a service of the host.
    private var ownAddress: [Expression] {
        guard family == .ipv6 else { return [] }
        return Expression.address(.destination, .notEqual, in: IPPrefix(.loopback(.ipv6), length: 128))
    }

    /// Letting the host's loopback address out to pods would let pods in to it; what claims to be or to want one of
    /// these addresses still enters by the loopback link alone.
    private var loopbackGuard: [Rule] {
        guard family == .ipv4 else { return [] }
        let loopback = IPPrefix(.v4(IPv4Address(rawValue: 0x7F00_0000)), length: 8)
        let link: [Expression] = [
            .meta(.inputInterfaceName, Register(0)), .compare(Register(0), .notEqual, Array("lo".utf8) + [0]),
        ]
        return [Expression.AddressField.source, .destination].map { field in
            Rule(
                table: table, chain: "guard",
                link + Expression.address(field, in: loopback) + [.verdict(.drop)])
        }
    }

    private var mark: UInt32 { 1 << UInt32(markBit) }

    /// The two rules that mark a connection, if its answers would miss the host, and lead it to its pod.
    private func lookups(_ scope: Scope) -> [Rule] {
        let words = UInt32(family.byteCount / 4)
        func key(at start: UInt32) -> [Expression] {
            let address: [Expression] =
                scope == .address ? [.address(.destination, family, Register(start))] : []
            let next = scope == .address ? start + words : start
            return address + [
                .meta(.transportProtocol, Register(next)),
                .payload(.transport, offset: 2, length: 2, Register(next + 1)),
            ]
        }
        let conditions = conditions.flatMap(\.expressions)
        return [
            Rule(
                table: table, chain: Self.lookup,
                conditions + [.address(.source, family, Register(0))] + key(at: words) + [
                    .contains(set: sources(scope).name, Register(0)), .meta(.mark, Register(0)),
                    .bitwise(Register(0), mask: (~mark).registerBytes, xor: mark.registerBytes, Register(0)),
                    .setMark(Register(0)),
                ]),
            Rule(
                table: table, chain: Self.lookup,
                conditions + key(at: 0) + [
                    .lookup(map: map(scope).name, Register(0), into: Register(0)),
                    .nat(.destination, family, address: Register(0), port: Register(words)),
                ]),
        ]
    }
}
