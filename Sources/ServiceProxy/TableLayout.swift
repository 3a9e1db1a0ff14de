internal import Addresses
internal import NFTables

/// The part of a family's nftables table that does not depend on Services: its maps, chains and rules.
///
/// ```
/// prerouting, output   nat     dispatch: cluster address . protocol . port -> endpoints-N
///                                        node's address, protocol . port   -> node-endpoints-N
/// prerouting, output   filter  unserved: refuses what no endpoint serves
/// postrouting          nat     masquerades what dispatch marked, and hairpins
/// ```
///
/// A chain `endpoints-N` serves every Service with N endpoints: it draws a number below N as the last field of the
/// key under which the map of endpoints has an address and port. So no chain or rule belongs to a Service.
struct TableLayout: Sendable {
    /// The maps and sets by name; their elements are all that changes with Services.
    enum MapName: String, CaseIterable, Sendable {
        case services
        case nodePorts = "node-ports"
        case endpoints
        case nodePortEndpoints = "node-port-endpoints"
        case unserved
        case unservedNodePorts = "unserved-node-ports"
        case clusterAddresses = "cluster-addresses"
        case hairpins
        case localPods = "local-pods"
    }

    /// The names of chains.
    enum ChainName {
        static let destinations = "destinations"
        static let ownDestinations = "own-destinations"
        static let dispatch = "dispatch"
        static let incoming = "incoming"
        static let outgoing = "outgoing"
        static let unserved = "unserved"
        static let refuse = "refuse"
        static let sources = "sources"

        static func endpoints(_ count: UInt32) -> String { "endpoints-\(count)" }
        static func nodeEndpoints(_ count: UInt32) -> String { "node-endpoints-\(count)" }

        /// The number of endpoints that a chain is for; nil for other chains.
        static func endpointCount(_ name: String) -> UInt32? {
            for prefix in ["endpoints-", "node-endpoints-"] where name.hasPrefix(prefix) {
                return UInt32(name.dropFirst(prefix.count))
            }
            return nil
        }
    }

    /// The bit of the packet mark that asks for masquerading; it is cleared before the packet leaves.
    static let masqueradeMark: UInt32 = 0x4000

    let family: IPFamily
    let header: HeaderLayout
    let table: Table

    init(_ family: IPFamily) {
        self.family = family
        header = HeaderLayout(family)
        table = Table(family: Table.Family(family), name: "duet-proxy")
    }

    /// The maps and sets.
    var sets: [NamedSet] { MapName.allCases.map(set) }

    private func set(_ name: MapName) -> NamedSet {
        let address = DataType.address(family)
        let port: [DataType] = [.transportProtocol, .port]
        let (key, value): ([DataType], NamedSet.Value) =
            switch name {
            case .services, .unserved: ([address] + port, .verdict)
            case .nodePorts, .unservedNodePorts: (port, .verdict)
            case .endpoints: ([address] + port + [.mark], .data([address, .port]))
            case .nodePortEndpoints: (port + [.mark], .data([address, .port]))
            case .clusterAddresses, .localPods: ([address], .none)
            case .hairpins: ([address, address], .none)
            }
        return NamedSet(
            table: table, name: name.rawValue, key: key, value: value, flags: name == .localPods ? .interval : [])
    }

    /// The chains that always exist.
    var chains: [Chain] {
        // Refusing comes right after the translation of destinations: what is then still addressed to a Service has no
        // endpoint, and no route to it is needed for the answer.
        let refusal = Chain.Priority.destinationNAT + 10
        return [
            Chain(table: table, name: ChainName.refuse),
            Chain(table: table, name: ChainName.unserved),
            Chain(table: table, name: ChainName.dispatch),
            base(ChainName.destinations, .nat, .prerouting, Chain.Priority.destinationNAT),
            base(ChainName.ownDestinations, .nat, .output, Chain.Priority.destinationNAT),
            base(ChainName.incoming, .filter, .prerouting, refusal),
            base(ChainName.outgoing, .filter, .output, refusal),
            base(ChainName.sources, .nat, .postrouting, Chain.Priority.sourceNAT),
        ]
    }

    private func base(_ name: String, _ kind: Chain.Kind, _ hook: Chain.Hook, _ priority: Int32) -> Chain {
        Chain(table: table, name: name, base: Chain.Base(kind, hook, priority: priority))
    }

    /// The chains that Services with so many endpoints share.
    func chains(forEndpoints count: UInt32) -> [Chain] {
        [ChainName.endpoints(count), ChainName.nodeEndpoints(count)].map { Chain(table: table, name: $0) }
    }
}
