import Addresses
import Linux
import NFTables
import RouteNetlink

/// The way of nodes and pods to what the host can reach: forwarding, and masquerading behind the host's addresses.
///
/// A family is forwarded only where the host has a default route for it; elsewhere the host is left as it is.
struct HostForwarding {
    let spec: ClusterSpec
    let bridge: String

    private static let table = Table(family: .inet, name: "duet-local")

    func ensure(_ state: inout ClusterState, _ paths: ClusterPaths) throws {
        let families = try routedFamilies()
        guard !families.isEmpty else { return }
        for family in families {
            for (name, value) in try parameters(family) where try Sysctl.get(name) != value {
                // Written down before it is changed; a value of an earlier `up` is kept.
                if state.sysctls[name] == nil { state.sysctls[name] = try Sysctl.get(name) }
                try state.save(paths)
                try Sysctl.set(name, value)
            }
        }
        var socket = try NFTablesSocket()
        try socket.commit(rules(families))
    }

    /// Removes the rules; the kernel parameters are the state's affair.
    static func remove() throws {
        var socket = try NFTablesSocket()
        if try socket.tables().contains(table) {
            try socket.commit(Transaction([.deleteTable(table)]))
        }
    }

    /// Families that the host has a default route for, with its interface.
    private func routedFamilies() throws -> [IPFamily] {
        try spec.families.filter { try !defaultInterfaces($0).isEmpty }
    }

    private func defaultInterfaces(_ family: IPFamily) throws -> [String] {
        var socket = try RouteSocket()
        let routes = try socket.routes(family).filter { $0.destination.length == 0 && $0.table == Route.mainTable }
        return try routes.compactMap { route in
            try route.interface.flatMap { try socket.link(at: $0)?.name }
        }
    }

    private func parameters(_ family: IPFamily) throws -> [(name: String, value: String)] {
        guard family == .ipv6 else { return [("net/ipv4/ip_forward", "1")] }
        // A forwarding host ignores router advertisements unless told not to: its own default route may come from one.
        let acceptance = try defaultInterfaces(family).map { "net/ipv6/conf/\($0)/accept_ra" }
            .filter { (try? Sysctl.get($0)) == "1" }
        return acceptance.map { ($0, "2") } + [("net/ipv6/conf/all/forwarding", "1")]
    }

    private func rules(_ families: [IPFamily]) -> Transaction {
        let chain = Chain(
            table: Self.table, name: "postrouting",
            base: Chain.Base(.nat, .postrouting, priority: Chain.Priority.sourceNAT))
        var transaction = Transaction([
            .addTable(Self.table), .deleteTable(Self.table), .addTable(Self.table), .addChain(chain),
        ])
        for range in spec.underlayRanges + spec.podRanges where families.contains(range.family) {
            let toElsewhere: [Expression] = [
                .meta(.outputInterfaceName, Register(0)),
                .compare(Register(0), .notEqual, paddedName),
            ]
            transaction.append(
                .addRule(
                    Rule(
                        table: Self.table, chain: chain.name, comment: "duet: nodes and pods behind the host",
                        Expression.isFamily(range.family) + Expression.address(.source, in: range) + toElsewhere
                            + [.masquerade()])))
        }
        return transaction
    }

    /// An interface name as the kernel compares it: 16 bytes, the rest zero.
    private var paddedName: [UInt8] {
        let name = Array(bridge.utf8)
        return name + Array(repeating: 0, count: 16 - name.count)
    }
}
