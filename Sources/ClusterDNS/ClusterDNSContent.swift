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
    private var podNetworks: [String: [IPPrefix]] = [:]
    private var blocks: [String: [IPPrefix]] = [:]
    private var nodeAddresses: [String: [IPAddress]] = [:]
    /// The addresses at which nodes can be asked by others, and the nodes that are not well.
    private var peerAddresses: [String: [IPAddress]] = [:]
    private var unready: Set<String> = []
    private let allowed: [IPPrefix]
    private let failover: Failover?
    private var areClientsChanged = true
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
        allowed = configuration.allowed
        failover = configuration.nodeName.flatMap { name in
            configuration.hasFailover
                ? Failover(nodeName: name, port: configuration.server.port, peerPort: configuration.server.peerPort)
                : nil
        }
        waitingFor = [.services, .endpointSlices, .namespaces, .nodes, .networks]
        if hasPods { waitingFor.insert(.pods) }
    }

    mutating func synced(_ source: Source) {
        waitingFor.remove(source)
    }

    mutating func setNode(_ name: String, _ node: Node?) {
        podNetworks[name] = node?.podCIDRs.compactMap { IPPrefix($0) }
        nodeAddresses[name] = node?.status?.addresses?.compactMap { IPAddress($0.address) }
        peerAddresses[name] = node?.status?.addresses?.filter { $0.type == "InternalIP" }
            .compactMap { IPAddress($0.address) }
        let isReady = node?.status?.conditions?.first { $0.type == "Ready" }?.status ?? "True" == "True"
        if isReady { unready.remove(name) } else { unready.insert(name) }
        areClientsChanged = true
    }

    mutating func setNetwork(_ name: String, _ network: NodeNetwork?) {
        blocks[name] = network?.spec?.blocks?.compactMap { IPPrefix($0.cidr) }
        areClientsChanged = true
    }

    /// Brings the zone up to date; the result is what is to be published, and where to answer.
    mutating func update(now: UInt32, local: Set<IPAddress>) -> (zone: ZoneSnapshot?, place: Place) {
        var wanted = Place(addresses: Set(model.server?.clusterAddresses ?? []).union(local))
        if let failover {
            wanted.forPeers = Set(peerAddresses[failover.nodeName] ?? []).subtracting(wanted.addresses)
            wanted.failover = plan(failover, for: wanted.addresses)
        }
        if areClientsChanged || wanted.addresses != place.addresses {
            areClientsChanged = false
            model.setClientPrefixes(clientPrefixes(answering: wanted.addresses))
        }
        let isChanged = model.update(isComplete: waitingFor.isEmpty, now: now)
        return (isChanged ? model.zone : nil, wanted)
    }

    /// Endpoints of the Service stand in if it has any, or else the servers of other nodes.
    private func plan(_ failover: Failover, for addresses: Set<IPAddress>) -> FailoverPlan {
        var plan = FailoverPlan(port: failover.port)
        plan.addresses = addresses.filter { !$0.isLoopback }
        var standIns = model.serverSlices.flatMap(FailoverPlan.StandIn.ready)
        if standIns.isEmpty {
            standIns = peerAddresses.filter { $0.key != failover.nodeName && !unready.contains($0.key) }.values.joined()
                .map {
                    FailoverPlan.StandIn($0, datagramPort: failover.peerPort, streamPort: failover.peerPort)
                }
        }
        plan.choose(among: standIns, for: failover.nodeName)
        return plan
    }

    /// Pods and nodes, and this machine, which asks itself under the address that it asks.
    ///
    /// A pod has an address in each of its node's networks, so these tell the families of pods that are not watched.
    private func clientPrefixes(answering: Set<IPAddress>) -> ClientPrefixes {
        var podFamilies: [IPPrefix: Set<IPFamily>] = [:]
        for name in Set(podNetworks.keys).union(blocks.keys) {
            let networks = (podNetworks[name] ?? []) + (blocks[name] ?? [])
            for network in networks { podFamilies[network] = Set(networks.map(\.family)) }
        }
        let hosts: [IPAddress] = nodeAddresses.values.flatMap(\.self) + Array(answering)
        return ClientPrefixes(
            allowed: Array(
                Set(podFamilies.keys).union(allowed + hosts.map { IPPrefix($0, length: $0.family.bitWidth) })
            ).sorted(),
            families: Set(podFamilies.keys.map(\.family)), podFamilies: podFamilies)
    }
}
