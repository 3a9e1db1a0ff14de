import Addresses
import ClusterNames
import DNSResolution
import KubernetesAPI
import KubernetesClient

/// What has been heard from the informers, and what follows from it.
struct ClusterDNSContent {
    var model: ClusterNamesModel
    private var waitingFor: Set<Source>
    private var podNetworks: [String: [IPPrefix]] = [:]
    private var blocks: [String: [IPPrefix]] = [:]
    private var nodeAddresses: [String: [IPAddress]] = [:]
    private let allowed: [IPPrefix]
    private var areClientsChanged = true
    /// The addresses that are on the link because of the server.
    var addresses: Set<IPAddress> = []

    /// A resource that has to be known before anything can be denied.
    enum Source: Hashable {
        case services, endpointSlices, namespaces, nodes, networks, pods
    }

    init(_ configuration: ClusterDNSConfiguration, hasPods: Bool) {
        model = ClusterNamesModel(
            settings: configuration.zone, serverKey: configuration.service, options: configuration.names)
        allowed = configuration.allowed
        waitingFor = [.services, .endpointSlices, .namespaces, .nodes, .networks]
        if hasPods { waitingFor.insert(.pods) }
    }

    mutating func synced(_ source: Source) { waitingFor.remove(source) }

    mutating func setNode(_ name: String, _ node: Node?) {
        podNetworks[name] = node?.podCIDRs.compactMap { IPPrefix($0) }
        nodeAddresses[name] = node?.status?.addresses?.compactMap { IPAddress($0.address) }
        areClientsChanged = true
    }

    mutating func setNetwork(_ name: String, _ network: NodeNetwork?) {
        blocks[name] = network?.spec?.blocks?.compactMap { IPPrefix($0.cidr) }
        areClientsChanged = true
    }

    /// Brings the zone up to date; the result is what is to be published, and the addresses to answer on.
    mutating func update(now: UInt32, local: Set<IPAddress>) -> (zone: ZoneSnapshot?, addresses: Set<IPAddress>) {
        let wanted = Set(model.server?.clusterAddresses ?? []).union(local)
        if areClientsChanged || wanted != addresses {
            areClientsChanged = false
            model.setClientPrefixes(clientPrefixes(answering: wanted))
        }
        let isChanged = model.update(isComplete: waitingFor.isEmpty, now: now)
        return (isChanged ? model.zone : nil, wanted)
    }

    /// Pods and nodes, and this machine, which asks itself under the address that it asks.
    private func clientPrefixes(answering: Set<IPAddress>) -> ClientPrefixes {
        let pods: [IPPrefix] = podNetworks.values.flatMap(\.self) + blocks.values.flatMap(\.self)
        let hosts: [IPAddress] = nodeAddresses.values.flatMap(\.self) + Array(answering)
        return ClientPrefixes(
            allowed: Array(Set(pods + allowed + hosts.map { IPPrefix($0, length: $0.family.bitWidth) })).sorted(),
            families: Set(pods.map(\.family)))
    }
}
