internal import Addresses
internal import NFTables

/// The part of a family's nftables table that does not depend on Services: its maps, chains and rules.
///
/// ```
/// prerouting, output   nat   dispatch: frontend's address . protocol . port -> number of a shape -> its chain
///                                      node's address, protocol . port      -> number of a shape -> its chain
///                            refusals: refuses what no endpoint serves
/// postrouting          nat   masquerades what was marked, and hairpins; keeps off the translator what is no endpoint
/// ```
///
/// A chain of a shape serves every Service port with so many endpoints: it draws a number as the last field of the
/// key under which the map of endpoints has an address and port. So no chain or rule belongs to a Service; and as all
/// chains are for translation, the packets of a connection but the first meet no rule at all.
struct TableLayout: Sendable {
    /// The names of chains.
    enum ChainName {
        static let destinations = "destinations"
        static let ownDestinations = "own-destinations"
        static let dispatch = "dispatch"
        static let guards = "guards"
        static let outsiders = "to-outsiders"
        static let nodePorts = "to-node-ports"
        static let refusals = "refusals"
        static let nodePortRefusals = "node-port-refusals"
        static let refuse = "refuse"
        static let sources = "sources"
        static let toTranslator = "to-translator"
        static let martians = "martians"
    }

    /// The name of the table in each family.
    static let tableName = "duet-proxy"
    /// The name of the table that answers while one of that name is replaced, see `TableReconciler`.
    static let interimName = "duet-proxy-interim"
    /// The clients of frontends with affinity, and the endpoints that they keep; rules write it, not the agent.
    static let affinity = "affinity"
    /// The bit of the packet mark that asks for masquerading; it is cleared before the packet leaves.
    static let masqueradeMark: UInt32 = 0x4000
    /// The chains of shapes by their numbers; follows the chains.
    static let shapes = "shapes"
    /// The same of shapes for outsiders, which other shapes' chains lead to: in one map the kernel would see a loop.
    static let outsiderShapes = "outsider-shapes"
    static let shapeMaps = [shapes, outsiderShapes]
    /// How many clients with affinity are remembered; beyond them connections are spread as without it.
    private static let affinitySize: UInt32 = 1 << 18

    let family: IPFamily
    /// Whether node ports answer on loopback addresses.
    let answersOnLoopback: Bool
    let header: HeaderLayout
    let table: Table

    init(_ family: IPFamily, _ options: ProxyOptions = ProxyOptions(), named name: String = tableName) {
        self.family = family
        header = HeaderLayout(family)
        answersOnLoopback = options.answersOnLoopback && header.loopbackRoutingParameter != nil
        table = Table(family: Table.Family(family), name: name)
    }

    /// The maps and sets.
    var sets: [NamedSet] {
        let shapeMaps = Self.shapeMaps.map {
            NamedSet(table: table, name: $0, key: ActionNumber.types, value: .verdict)
        }
        let affinity = NamedSet(
            table: table, name: Self.affinity, key: [.mark, .address(family)] + anchorTypes,
            value: .data([.transportProtocol] + backendTypes), flags: [.timeout, .dynamic], size: Self.affinitySize)
        return MapName.allCases.map(set) + shapeMaps + [affinity]
    }

    private var frontendTypes: [DataType] { [.address(family)] + Self.portTypes }
    /// The order that lets the protocol stand before what is kept under an anchor, see `BalanceRules`.
    private var anchorTypes: [DataType] { [.address(family), .port, .transportProtocol] }
    private var backendTypes: [DataType] { [.address(family), .port] }
    private static let portTypes: [DataType] = [.transportProtocol, .port]

    private func set(_ name: MapName) -> NamedSet {
        let (key, value): ([DataType], NamedSet.Value) =
            switch name {
            case .services, .outsiders: (frontendTypes, .data([.mark] + ActionNumber.types))
            case .nodePorts, .nodePortOutsiders: (Self.portTypes, .data([.mark] + ActionNumber.types))
            case .unserved: (frontendTypes, .none)
            case .unservedNodePorts: (Self.portTypes, .none)
            case .aliases: (anchorTypes, .data([.mark] + anchorTypes))
            case .nodePortAliases: (Array(anchorTypes.dropFirst()), .data([.mark] + anchorTypes))
            case .endpoints: (anchorTypes + [.mark], .data(backendTypes))
            case .stickyEndpoints: (anchorTypes + [.mark], .data([.mark] + backendTypes))
            case .members: (anchorTypes + backendTypes, .none)
            case .guarded: (frontendTypes, .none)
            case .admitted: (frontendTypes + [.address(family)], .none)
            case .clusterAddresses, .serviceRanges, .nodePortRanges, .localPods, .unmasqueraded, .translated,
                .unanswered:
                ([.address(family)], .none)
            case .standIns: ([.address(family)], .data([.address(family.other)]))
            case .hairpins: ([.address(family), .address(family)], .none)
            }
        return NamedSet(
            table: table, name: name.name, key: key, value: value, flags: name.holdsRanges ? .interval : [])
    }

    /// The chains that always exist.
    var chains: [Chain] {
        let translating = [
            base(ChainName.destinations, .nat, .prerouting, Chain.Priority.destinationNAT),
            base(ChainName.ownDestinations, .nat, .output, Chain.Priority.destinationNAT),
            base(ChainName.sources, .nat, .postrouting, Chain.Priority.sourceNAT),
        ]
        let martians = base(ChainName.martians, .filter, .prerouting, Chain.Priority.raw)
        let plain = [
            ChainName.refuse, ChainName.nodePortRefusals, ChainName.refusals, ChainName.nodePorts, ChainName.outsiders,
            ChainName.guards, ChainName.dispatch, ChainName.toTranslator,
        ].map { Chain(table: table, name: $0) }
        return plain + translating + (answersOnLoopback ? [martians] : [])
    }

    private func base(_ name: String, _ kind: Chain.Kind, _ hook: Chain.Hook, _ priority: Int32) -> Chain {
        Chain(table: table, name: name, base: Chain.Base(kind, hook, priority: priority))
    }

    /// The chain that Services of a shape share.
    func chain(_ shape: ChainShape) -> Chain {
        Chain(table: table, name: shape.name)
    }

    /// What drops by its number, without a chain.
    var dropElement: Element { Element(ActionNumber.drop.key, .verdict(.drop)) }

    /// The elements that lead to the chains of shapes, of those that stand in a map.
    func elements(of shapes: some Sequence<ChainShape>, in map: String) -> [Element] {
        shapes.filter { ($0.balance.entry == .outsider) == (map == Self.outsiderShapes) }.map(element)
    }

    /// The element by which the number of a shape leads to its chain.
    private func element(_ shape: ChainShape) -> Element {
        // Who is no outsider after all goes on as everyone else.
        let verdict: Verdict = shape.balance.entry == .outsider ? .jump(shape.name) : .goto(shape.name)
        return Element(ActionNumber(shape).key, .verdict(verdict))
    }
}
