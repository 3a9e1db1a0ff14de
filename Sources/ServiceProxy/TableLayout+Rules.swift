internal import Addresses
internal import NFTables

extension TableLayout {
    /// The rules of the chains that always exist, in the order of each chain.
    var rules: [Rule] {
        destinationRules + dispatchRules + refusalRules + sourceRules
            + (answersOnLoopback ? [martianRule] : [])
    }

    private var destinationRules: [Rule] {
        [ChainName.destinations, ChainName.ownDestinations].flatMap { chain in
            [ChainName.dispatch, ChainName.refusals].map { rule(chain, [.verdict(.jump($0))]) }
        }
    }

    /// A cluster address, which most calls are for, is found by the first lookup; what only other addresses need comes after
    /// it, or is asked in the chains of their shapes.
    private var dispatchRules: [Rule] {
        [
            rule(ChainName.dispatch, frontendKey + lead(by: .services)),
            // One that has no endpoints is guarded too.
            rule(ChainName.dispatch, [.verdict(.jump(ChainName.guards))]),
            rule(
                ChainName.guards,
                frontendKey + [isIn(.guarded), header.source(header.register(afterAddressAnd: 2))]
                    + [isIn(.admitted, inverted: true), .verdict(.drop)]),
            rule(ChainName.outsiders, frontendKey + lead(by: .outsiders)),
            rule(ChainName.dispatch, toNode + [.verdict(.jump(ChainName.nodePorts))]),
            rule(ChainName.nodePorts, nodePortKey + leadNodePort(by: .nodePortOutsiders)),
            rule(ChainName.nodePorts, nodePortKey + leadNodePort(by: .nodePorts)),
        ]
    }

    private var refusalRules: [Rule] {
        [
            rule(ChainName.refusals, frontendKey + [isIn(.unserved), .verdict(.goto(ChainName.refuse))]),
            rule(ChainName.refusals, toNode + [.verdict(.jump(ChainName.nodePortRefusals))]),
            rule(
                ChainName.refusals, [header.destination(), isIn(.clusterAddresses), .verdict(.goto(ChainName.refuse))]),
            // The node may have an address of a range itself, as the one that it answers names on.
            rule(
                ChainName.refusals,
                [header.destination(), isIn(.serviceRanges), .fib(.destinationKind, Register(0))]
                    + [.compare(Register(0), .notEqual, AddressKind.local.registerBytes), .verdict(.drop)]),
            rule(
                ChainName.nodePortRefusals,
                HeaderLayout.destinationPort(from: 0) + [isIn(.unservedNodePorts), .verdict(.goto(ChainName.refuse))]),
            // A reset ends the attempt at once; after an ICMP error an IPv6 client of Linux tries again first.
            rule(
                ChainName.refuse,
                [
                    .meta(.transportProtocol, Register(0)),
                    .compare(Register(0), .equal, [TransportProtocol.tcp.rawValue]), .reject(.tcpReset),
                ]),
            rule(ChainName.refuse, [.reject(.icmp(code: header.portUnreachable))]),
        ]
    }

    private var sourceRules: [Rule] {
        translationRules + [
            rule(ChainName.sources, takeMasqueradeMark + [.masquerade(fullyRandom: true)]),
            rule(
                ChainName.sources,
                [header.source(), header.destination(header.register(afterAddressAnd: 0)), isIn(.hairpins)]
                    + [.masquerade(fullyRandom: true)]),
        ]
    }

    /// What the translator gets: connections to endpoints alone, or it would lead anywhere.
    ///
    /// An IPv4 caller is embedded, so it keeps its address, unless nothing answers to that; IPv6 callers get the node's on
    /// the translator's link.
    private var translationRules: [Rule] {
        let kept: [Expression] =
            header.isEmbedded
            ? [header.source(), loopbackBits, .compare(Register(0), .notEqual, header.loopback.address.bytes)]
                + [.verdict(.accept)]
            : [.masquerade(fullyRandom: true)]
        return [
            rule(
                ChainName.sources,
                [header.destination(), isIn(.translated), .verdict(.jump(ChainName.toTranslator))]),
            rule(
                ChainName.toTranslator,
                [header.destination(), header.destination(header.register(afterAddressAnd: 0))]
                    + [isIn(.hairpins, inverted: true), .verdict(.drop)]),
            rule(ChainName.toTranslator, kept),
            rule(ChainName.sources, [header.source(), isIn(.unanswered), .masquerade(fullyRandom: true)]),
        ]
    }

    /// Node ports on loopback addresses need these to be routable, so what comes from a link must not reach them.
    private var martianRule: Rule {
        rule(
            ChainName.martians,
            [
                .meta(.inputInterfaceName, Register(0)),
                .compare(Register(0), .notEqual, Array("lo".utf8) + Array(repeating: 0, count: 14)),
            ] + toLoopback(.equal) + [.verdict(.drop)])
    }

    /// The rules of the chain that Services of a shape share.
    func rules(_ shape: ChainShape) -> [Rule] {
        let balance = shape.balance
        var rules: [[Expression]] = []
        switch balance.entry {
        case .cluster:
            // The answer must come back by here unless the caller is one of this node's pods.
            rules.append([header.source(), isIn(.unmasqueraded, inverted: true)] + setMasqueradeMark)
        case .external:
            rules += asked([ChainName.guards], by: shape) + [setMasqueradeMark]
        case .insider:
            rules += asked([ChainName.guards, ChainName.outsiders], by: shape)
            rules.append([header.source(), isIn(.localPods, inverted: true)] + setMasqueradeMark)
        case .outsider:
            rules.append([header.source(), isIn(.localPods), .verdict(.return)])
            rules.append(
                [.fib(.sourceKind, Register(0)), .compare(Register(0), .equal, AddressKind.local.registerBytes)]
                    + [.verdict(.return)])
            if balance.range == 0 { rules.append([.verdict(.drop)]) }
        }
        if balance.range > 0 {
            rules += BalanceRules(header, shape).all
        }
        return rules.map { rule(shape.name, $0) }
    }

    /// The chains that may end the way before a shape's own does; node ports have come by theirs.
    private func asked(_ chains: [String], by shape: ChainShape) -> [[Expression]] {
        shape.isNodePort ? [] : chains.map { [.verdict(.jump($0))] }
    }

    private func rule(_ chain: String, _ expressions: [Expression]) -> Rule {
        Rule(table: table, chain: chain, expressions).stamped()
    }

    /// Goes where the number leads that a map has for a frontend.
    private func lead(by map: MapName) -> [Expression] {
        lead(by: map, key: Register(0), protocolIn: header.addressRegisters)
    }

    /// The same for a node port, whose key has no address.
    private func leadNodePort(by map: MapName) -> [Expression] { lead(by: map, key: Register(1), protocolIn: 1) }

    /// The number takes the place of protocol and port, and the word before it that of what stands there.
    private func lead(by map: MapName, key: Register, protocolIn index: UInt32) -> [Expression] {
        let isForOutsiders = map == .outsiders || map == .nodePortOutsiders
        return [
            .lookup(map: map.name, key, into: Register(index - 1)),
            .verdictMap(isForOutsiders ? Self.outsiderShapes : Self.shapes, Register(index)),
        ]
    }

    private var nodePortKey: [Expression] { HeaderLayout.destinationPort(from: 1) }

    private func isIn(_ set: MapName, inverted: Bool = false) -> Expression {
        .contains(set: set.name, Register(0), inverted: inverted)
    }

    /// Loads destination address, protocol and destination port.
    private var frontendKey: [Expression] { header.frontendKey(from: 0) }

    /// Goes on if the destination is an address of this node that node ports answer on.
    private var toNode: [Expression] {
        [.fib(.destinationKind, Register(0)), .compare(Register(0), .equal, AddressKind.local.registerBytes)]
            + (answersOnLoopback ? [] : toLoopback(.notEqual))
            + [header.destination(), isIn(.nodePortRanges)]
    }

    private func toLoopback(_ comparison: Expression.Comparison) -> [Expression] {
        [header.destination(), loopbackBits, .compare(Register(0), comparison, header.loopback.address.bytes)]
    }

    /// Leaves of an address the bits that loopback addresses share.
    private var loopbackBits: Expression {
        .bitwise(
            Register(0), mask: header.loopback.mask.bytes, xor: IPAddress(family: family, bits: 0).bytes, Register(0))
    }

    private var setMasqueradeMark: [Expression] {
        changeMark(keeping: ~Self.masqueradeMark, flipping: Self.masqueradeMark)
    }

    /// Goes on if the packet is marked, and clears the mark.
    private var takeMasqueradeMark: [Expression] {
        [
            .meta(.mark, Register(0)),
            .bitwise(
                Register(0), mask: Self.masqueradeMark.registerBytes, xor: UInt32(0).registerBytes, Register(0)),
            .compare(Register(0), .notEqual, UInt32(0).registerBytes),
        ] + changeMark(keeping: ~Self.masqueradeMark, flipping: 0)
    }

    private func changeMark(keeping mask: UInt32, flipping bits: UInt32) -> [Expression] {
        [
            .meta(.mark, Register(0)),
            .bitwise(Register(0), mask: mask.registerBytes, xor: bits.registerBytes, Register(0)),
            .setMark(Register(0)),
        ]
    }
}
