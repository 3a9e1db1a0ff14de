package import Addresses
package import NFTables

/// Which packets leave a node under the node's own address: what its pods send out of the cluster.
///
/// Packets to pods and nodes keep their source. Destinations of Services were translated before. Blocks of public
/// addresses are not masqueraded.
package struct MasqueradePlan: Hashable, Sendable {
    /// The table that holds it.
    package static let table = Table(family: .inet, name: "duet-masquerade")

    /// The node's own blocks of private addresses.
    package let sources: Set<IPPrefix>
    /// The destinations that see a pod's own address; none contains another.
    package let exempt: Set<IPPrefix>

    /// What no packet that leaves a link is sent to: groups and link-local addresses of each family.
    private static let alwaysExempt = ["224.0.0.0/4", "169.254.0.0/16", "ff00::/8", "fe80::/10"].compactMap {
        IPPrefix($0)
    }

    /// Compiles the plan of a node.
    package init(own: ClusterNode?, nodes: [ClusterNode]) {
        sources = Set((own?.podPrefixes ?? []).filter(\.first.isPrivate))
        let hosts = nodes.flatMap(\.addresses).map { IPPrefix($0, length: $0.family.bitWidth) }
        exempt = Self.withoutContained(Self.alwaysExempt + nodes.flatMap(\.podPrefixes) + hosts)
    }

    // A set of ranges refuses ranges that overlap. Sorted, a prefix stands directly behind those that contain it.
    private static func withoutContained(_ prefixes: [IPPrefix]) -> Set<IPPrefix> {
        var kept: [IPPrefix] = []
        for prefix in prefixes.sorted(by: { ($0.address, $0.length) < ($1.address, $1.length) })
        where kept.last?.contains(prefix) != true {
            kept.append(prefix)
        }
        return Set(kept)
    }
}

extension MasqueradePlan {
    /// The sets of the table; their elements are what `elements(of:)` says.
    package static let sets: [NamedSet] = IPFamily.allCases.flatMap { family in
        [sourceSet(family), exemptSet(family)].map {
            NamedSet(table: table, name: $0, key: [.address(family)], flags: .interval)
        }
    }

    /// The table's chain, at the end of the way of all packets that leave.
    package static let chain = Chain(
        table: table, name: "postrouting", base: .init(.nat, .postrouting, priority: Chain.Priority.sourceNAT))

    /// The chain's rules, one a family.
    package static let rules: [Rule] = IPFamily.allCases.map { family in
        Rule(
            table: table, chain: chain.name,
            Expression.isFamily(family) + [
                .address(.source, family), .contains(set: sourceSet(family), Register(0)),
                .address(.destination, family), .contains(set: exemptSet(family), Register(0), inverted: true),
                .masquerade(),
            ]
        ).stamped()
    }

    /// The prefixes that stand in a set.
    package func prefixes(in set: String) -> Set<IPPrefix> {
        for family in IPFamily.allCases {
            if set == Self.sourceSet(family) { return sources.filter { $0.family == family } }
            if set == Self.exemptSet(family) { return exempt.filter { $0.family == family } }
        }
        return []
    }

    /// Builds the table anew, whatever it held before.
    package func rebuilding() -> Transaction {
        var transaction = Transaction([.addTable(Self.table), .deleteTable(Self.table), .addTable(Self.table)])
        for set in Self.sets {
            transaction.append(.addSet(set))
            transaction.append(
                .addElements(Self.table, set: set.name, prefixes(in: set.name).sorted().flatMap { Element.range($0) }))
        }
        transaction.append(.addChain(Self.chain))
        for rule in Self.rules { transaction.append(.addRule(rule)) }
        return transaction
    }

    /// What makes the table of one plan the table of another.
    package static func difference(from old: MasqueradePlan, to new: MasqueradePlan) -> Transaction {
        var transaction = Transaction()
        for set in sets {
            let before = old.prefixes(in: set.name)
            let after = new.prefixes(in: set.name)
            transaction.append(
                .deleteElements(
                    table, set: set.name, before.subtracting(after).sorted().flatMap { Element.range($0) }))
            transaction.append(
                .addElements(table, set: set.name, after.subtracting(before).sorted().flatMap { Element.range($0) }))
        }
        return transaction
    }

    private static func sourceSet(_ family: IPFamily) -> String {
        "pods-\(family.rawValue)"
    }

    private static func exemptSet(_ family: IPFamily) -> String {
        "cluster-\(family.rawValue)"
    }
}
