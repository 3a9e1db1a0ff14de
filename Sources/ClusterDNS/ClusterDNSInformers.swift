import DNSResolution
public import KubernetesAPI
public import KubernetesClient
public import Logging

/// The objects that names and answers depend on; the informers are run by whoever made them.
public struct ClusterDNSInformers: Sendable {
    /// The Services.
    public let services: Informer<KubernetesAPI.Service>
    let endpointSlices: Informer<EndpointSlice>
    /// The namespaces.
    public let namespaces: Informer<Namespace>
    /// The nodes.
    public let nodes: Informer<Node>
    /// The nodes' networks.
    public let networks: Informer<NodeNetwork>
    /// The pods that are told apart; nil for none.
    public let pods: Informer<Pod>?

    /// Gathers the informers.
    public init(
        services: Informer<KubernetesAPI.Service>, endpointSlices: Informer<EndpointSlice>,
        namespaces: Informer<Namespace>, nodes: Informer<Node>, networks: Informer<NodeNetwork>, pods: Informer<Pod>?
    ) {
        self.services = services
        self.endpointSlices = endpointSlices
        self.namespaces = namespaces
        self.nodes = nodes
        self.networks = networks
        self.pods = pods
    }

    /// An informer of the pods that a server of this configuration has to know: all where pods' names are verified,
    /// otherwise those of its node.
    public static func pods(
        _ configuration: ClusterDNSConfiguration, client: KubernetesClient, logger: Logger
    ) -> Informer<Pod>? {
        if configuration.zone.pods == .verified { return Informer<Pod>(client: client, logger: logger) }
        return configuration.nodeName.map {
            Informer<Pod>(client: client, fieldSelector: "spec.nodeName=\($0)", logger: logger)
        }
    }
}
