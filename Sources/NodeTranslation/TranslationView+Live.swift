package import Addresses
internal import NFTables
package import PodRouting
internal import PodTranslation
internal import RouteNetlink

extension TranslationView {
    /// Reads what there is about a pod and a target, in the network namespace of the calling thread; nil when nothing
    /// translates for pods there.
    ///
    /// - Parameters:
    ///   - node: the node's name.
    ///   - nodes: all nodes, as the API has them.
    package init?(of pod: IPv6Address, to target: IPAddress, on node: String, of nodes: [ClusterNode]) throws {
        var rules = try NFTablesSocket()
        guard try rules.tables().contains(TranslationTable.table) else { return nil }
        self.init()
        var gateways = TranslationGateways()
        for node in nodes { _ = gateways.update(node.name, node) }
        exit = TranslationExit(of: node, gateways)
        func addresses(_ set: TranslationTable.SetName) throws -> [IPv6Address: IPv4Address] {
            let pods = TranslationTable.pods(try rules.elements(of: TranslationTable.table, set: set.rawValue))
            return Dictionary(pods.map { ($1, $0) }) { first, _ in first }
        }
        translated = try addresses(.translated)
        clat = try addresses(.clat)
        egress = TranslationTable.addresses(
            try rules.elements(of: TranslationTable.table, set: TranslationTable.SetName.egress.rawValue))
        destinations = try rules.elements(
            of: TranslationTable.table, set: TranslationTable.SetName.destinations.rawValue)
        var routes = try RouteSocket()
        for entry in try routes.addresses() {
            if case .v4(let address) = entry.address.address { nodeAddresses.insert(address) }
        }
        let device = try routes.link(named: UserspaceTranslator.deviceName)
        if let device {
            prefix = try routes.routes(.ipv6, table: Route.mainTable, protocol: .duetTranslation).lazy
                .filter { $0.interface == device.index }.compactMap { TranslationPrefix($0.destination) }.first
        }
        var links = try PodLinks(range: NodeTranslationOptions.defaultPodRange)
        if let link = try links.link(of: pod), try PodTranslator.isAttached(to: link.index, &routes) {
            engines[pod] = .kernel(link: link.name)
        } else if device != nil {
            engines[pod] = .userspace
        }
        if case .sender(_, let gateway) = exit {
            // In the range that the agent was given, which the rules know.
            if let own = egress.values.first { exit = .sender(own, gateway: gateway) }
            gatewayEgress = gateways.gateway(gateway)?.egress ?? []
            hasGatewayRoute = try !routes.routes(.ipv4, table: RoutePolicy.translatedTable, protocol: .duet).isEmpty
        }
        guard let destination = destination(of: target),
            case .v4(let source)? = try routes.route(to: .v4(destination))?.source
        else { return }
        outside[destination] = source
    }
}
