package import Addresses
package import NFTables

/// Which packets leave a node under the node's own address: what its pods send out of the cluster.
///
/// Packets to pods keep their source, and so do those to nodes whose answers find the way back to a pod. Destinations of
/// Services were translated before. A change of one node touches that node's prefixes only.
package struct MasqueradePlan: Hashable, Sendable {
    /// The table that holds it.
    package static let table = Table(family: .inet, name: "duet-masquerade")

    /// The node's own blocks that are masqueraded.
    package private(set) var sources: Set<IPPrefix> = []
    /// All of the node's own blocks.
    package private(set) var local: Set<IPPrefix> = []
    private let policy: MasqueradePolicy
    private var cover = PrefixCover()
    private var shares: [String: Set<IPPrefix>] = [:]

    /// What no packet that leaves a link is sent to: groups and link-local addresses of each family.
    private static let alwaysExempt = ["224.0.0.0/4", "169.254.0.0/16", "ff00::/8", "fe80::/10"].compactMap {
        IPPrefix($0)
    }

    /// A plan without nodes.
    package init(policy: MasqueradePolicy = MasqueradePolicy()) {
        self.policy = policy
        for prefix in Self.alwaysExempt + policy.exempt { _ = cover.insert(prefix) }
    }

    /// Takes the node itself.
    package mutating func update(own: ClusterNode?) -> Set<IPPrefix> {
        let blocks = Set(own?.podPrefixes ?? [])
        defer {
            local = blocks
            sources = blocks.filter(policy.applies)
        }
        return local.symmetricDifference(blocks)
    }

    /// Takes the new state of a node, `nil` when it is gone, and returns the prefixes whose place may have changed.
    ///
    /// - Parameter addresses: those of its addresses that see pods' own addresses.
    package mutating func update(
        _ name: String, _ node: ClusterNode?, addresses: some Sequence<IPAddress>
    ) -> Set<IPPrefix> {
        let old = shares[name] ?? []
        let new = node.map { node in
            Set(node.podPrefixes).union(addresses.map { IPPrefix($0, length: $0.family.bitWidth) })
        }
        shares[name] = new
        var touched: Set<IPPrefix> = []
        for prefix in old.subtracting(new ?? []) { touched.formUnion(cover.remove(prefix)) }
        for prefix in (new ?? []).subtracting(old) { touched.formUnion(cover.insert(prefix)) }
        return touched
    }

    /// The destinations that see a pod's own address; none contains another.
    package var exempt: Set<IPPrefix> {
        cover.largest
    }
}

extension MasqueradePlan {
    /// The sets of the table; their elements are what `prefixes(in:)` says.
    package static let sets: [NamedSet] = IPFamily.allCases.flatMap { family in
        [sourceSet(family), exemptSet(family), localSet(family)].map {
            NamedSet(table: table, name: $0, key: [.address(family)], flags: .interval)
        }
    }

    /// The table's chain, at the end of the way of all packets that leave.
    package static let chain = Chain(
        table: table, name: "postrouting", base: .init(.nat, .postrouting, priority: Chain.Priority.sourceNAT))

    /// The chain's rules.
    ///
    /// What the node translates leaves behind its translator, which knows pods by their own addresses. What enters a tunnel
    /// with an address that is not of the node's pods would be answered past it, so it carries the tunnel's; then comes what
    /// leaves the cluster.
    package static let rules: [Rule] = [translatorRule] + tunnelRules + exitRules

    /// The device of the node's translator between the families.
    package static let translatorLinkName = "duet-nat64"

    private static let translatorRule = Rule(
        table: table, chain: chain.name,
        [
            .meta(.outputInterfaceName, Register(0)),
            .compare(Register(0), .equal, Array(translatorLinkName.utf8)), .verdict(.accept),
        ]
    ).stamped()

    private static let tunnelRules: [Rule] = IPFamily.allCases.flatMap { family in
        [Tunnel.vxlanLinkPrefix, Tunnel.wireGuard.linkName].map { name in
            Rule(
                table: table, chain: chain.name,
                Expression.isFamily(family) + [
                    .meta(.outputInterfaceName, Register(0)), .compare(Register(0), .equal, Array(name.utf8)),
                    .address(.source, family), .contains(set: localSet(family), Register(0), inverted: true),
                    .masquerade(),
                ]
            ).stamped()
        }
    }

    private static let exitRules: [Rule] = IPFamily.allCases.map { family in
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
            if set == Self.localSet(family) { return local.filter { $0.family == family } }
            if set == Self.exemptSet(family) { return exempt.filter { $0.family == family } }
        }
        return []
    }

    /// Whether a prefix stands in a set.
    package func holds(_ prefix: IPPrefix, in set: String) -> Bool {
        if set == Self.sourceSet(prefix.family) { return sources.contains(prefix) }
        if set == Self.localSet(prefix.family) { return local.contains(prefix) }
        return set == Self.exemptSet(prefix.family) && cover.isLargest(prefix)
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

    private static func sourceSet(_ family: IPFamily) -> String {
        "pods-\(family.rawValue)"
    }

    private static func localSet(_ family: IPFamily) -> String {
        "local-\(family.rawValue)"
    }

    private static func exemptSet(_ family: IPFamily) -> String {
        "cluster-\(family.rawValue)"
    }
}
