import Addresses
import ClusterNames
import DNSResolution
import DNSServing
import KubernetesAPI
import KubernetesClient

/// What has been heard from the informers, and what follows from it.
struct ClusterDNSContent {
    var model: ClusterNamesModel
    private var waitingFor: Set<Source>
    /// The networks of nodes' pods, as their objects and those of their networks say.
    private var podNetworks: [String: [IPPrefix]] = [:]
    private var blocks: [String: [IPPrefix]] = [:]
    private var nodeAddresses: [String: [IPAddress]] = [:]
    /// Who may ask.
    private var clients = ClientNetworks()
    /// The addresses at which nodes that are well can be asked by others, and the choice among them.
    private var peers: [String: [IPAddress]] = [:]
    private var peerChoice: StandInChoice
    /// The addresses at which this node can be asked by others.
    private var ownAddresses: Set<IPAddress> = []
    private let failover: Failover?
    /// What the server has last been moved to.
    var place = Place()

    /// The node's name, and the ports of its own server and for its peers.
    private struct Failover {
        let nodeName: String
        let port: UInt16
        let peerPort: UInt16
    }

    /// Where a server answers, and who stands in for it.
    struct Place: Hashable {
        /// The addresses that are on the link because of the server.
        var addresses: Set<IPAddress> = []
        /// The node's own addresses, at which other nodes ask.
        var forPeers: Set<IPAddress> = []
        /// Where queries go without it; nil if nobody stands in for anybody.
        var failover: FailoverPlan?
    }

    /// A resource that has to be known before anything can be denied.
    enum Source: Hashable {
        case services, endpointSlices, namespaces, nodes, networks, pods
    }

    init(_ configuration: ClusterDNSConfiguration, hasPods: Bool) {
        model = ClusterNamesModel(
            settings: configuration.zone, serverKey: configuration.service, options: configuration.names)
        peerChoice = StandInChoice(for: configuration.nodeName ?? "")
        failover = configuration.nodeName.flatMap { name in
            configuration.hasFailover
                ? Failover(nodeName: name, port: configuration.server.port, peerPort: configuration.server.peerPort)
                : nil
        }
        waitingFor = [.services, .endpointSlices, .namespaces, .nodes, .networks]
        if hasPods { waitingFor.insert(.pods) }
        let allowed = configuration.allowed.map { ($0, ClientNetwork.others) }
        setClients(.configuration, Dictionary(allowed) { first, _ in first })
    }

    mutating func synced(_ source: Source) {
        waitingFor.remove(source)
    }

    /// Notes a new, changed or vanished node; that costs the same however many nodes there are.
    mutating func setNode(_ name: String, _ node: Node?) {
        let addresses = node?.status?.addresses ?? []
        podNetworks[name] = node?.podCIDRs.compactMap { IPPrefix($0) }
        nodeAddresses[name] = node.map { _ in addresses.compactMap { IPAddress($0.address) } }
        setClients(of: name)
        guard let failover else { return }
        let inside = addresses.filter { $0.type == "InternalIP" }.compactMap { IPAddress($0.address) }
        guard name != failover.nodeName else {
            ownAddresses = Set(inside)
            return
        }
        let isReady = node?.status?.conditions?.first { $0.type == "Ready" }?.status ?? "True" == "True"
        setPeer(name, isReady ? inside : [], port: failover.peerPort)
    }

    mutating func setNetwork(_ name: String, _ network: NodeNetwork?) {
        blocks[name] = network?.spec?.blocks?.compactMap { IPPrefix($0.cidr) }
        setClients(of: name)
    }

    private mutating func setPeer(_ name: String, _ addresses: [IPAddress], port: UInt16) {
        let former = peers[name] ?? []
        guard former != addresses else { return }
        for address in former { peerChoice.remove(.init(address, datagramPort: port, streamPort: port)) }
        for address in addresses { peerChoice.insert(.init(address, datagramPort: port, streamPort: port)) }
        peers[name] = addresses.isEmpty ? nil : addresses
    }

    /// A node and its pods may ask; a pod has an address in each of its node's networks, so these tell the families of pods
    /// that are not watched.
    private mutating func setClients(of name: String) {
        let networks = (podNetworks[name] ?? []) + (blocks[name] ?? [])
        let families = Set(networks.map(\.family))
        var clients = Self.hosts(nodeAddresses[name] ?? [])
        for network in networks { clients[network] = .pods(families) }
        setClients(.node(name), clients)
    }

    private mutating func setClients(_ source: ClientNetworks.Source, _ networks: [IPPrefix: ClientNetwork]) {
        for (prefix, network) in clients.set(source, networks) { model.setClients(in: prefix, network) }
        model.setClientFamilies(clients.families)
    }

    private static func hosts(_ addresses: some Sequence<IPAddress>) -> [IPPrefix: ClientNetwork] {
        let networks = addresses.map { (IPPrefix($0, length: $0.family.bitWidth), ClientNetwork.others) }
        return Dictionary(networks) { first, _ in first }
    }

    /// Brings the zone up to date; the result is what is to be published, and where to answer.
    mutating func update(now: UInt32, local: Set<IPAddress>) -> (zone: ZoneSnapshot?, place: Place) {
        var wanted = Place(addresses: Set(model.server?.clusterAddresses ?? []).union(local))
        if let failover {
            wanted.forPeers = ownAddresses.subtracting(wanted.addresses)
            wanted.failover = plan(failover, for: wanted.addresses)
        }
        // This machine asks itself under the address that it asks.
        setClients(.server, Self.hosts(wanted.addresses))
        let isChanged = model.update(isComplete: waitingFor.isEmpty, now: now)
        return (isChanged ? model.zone : nil, wanted)
    }

    /// Endpoints of the Service stand in if it has any, or else the servers of other nodes.
    private func plan(_ failover: Failover, for addresses: Set<IPAddress>) -> FailoverPlan {
        var plan = FailoverPlan(port: failover.port)
        plan.addresses = addresses.filter { !$0.isLoopback }
        var endpoints = StandInChoice(for: failover.nodeName)
        for standIn in model.serverSlices.flatMap(FailoverPlan.StandIn.ready) { endpoints.insert(standIn) }
        plan.standIns = endpoints.standIns.isEmpty ? peerChoice.standIns : endpoints.standIns
        return plan
    }
}
