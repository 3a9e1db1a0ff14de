public import ClusterNames
import DNSResolution
public import KubernetesAPI
public import KubernetesClient
public import Logging

/// The objects that names and answers depend on; the informers are run by whoever made them.
public struct ClusterDNSInformers: Sendable {
    /// The changes of the Services, and of their endpoints.
    let services: @Sendable () -> AsyncStream<InformerEvent<NamedService>>
    let endpointSlices: @Sendable () -> AsyncStream<InformerEvent<NamedEndpoints>>
    /// The namespaces.
    public let namespaces: Informer<Namespace>
    /// The nodes.
    public let nodes: Informer<Node>
    /// The nodes' networks.
    public let networks: Informer<NodeNetwork>
    /// The pods that are told apart; nil for none.
    public let pods: Informer<Pod>?

    /// Gathers informers that keep only what names are made of.
    public init(
        services: Informer<NamedService>, endpointSlices: Informer<NamedEndpoints>, namespaces: Informer<Namespace>,
        nodes: Informer<Node>, networks: Informer<NodeNetwork>, pods: Informer<Pod>?
    ) {
        self.services = { services.events() }
        self.endpointSlices = { endpointSlices.events() }
        self.namespaces = namespaces
        self.nodes = nodes
        self.networks = networks
        self.pods = pods
    }

    /// Gathers informers that others use too.
    public init(
        services: Informer<KubernetesAPI.Service>, endpointSlices: Informer<EndpointSlice>,
        namespaces: Informer<Namespace>, nodes: Informer<Node>, networks: Informer<NodeNetwork>, pods: Informer<Pod>?,
        names: ClusterNamesOptions
    ) {
        self.services = { services.events(as: NamedService.init) }
        self.endpointSlices = {
            endpointSlices.events { NamedEndpoints($0, usingPodNames: names.usesPodNames) }
        }
        self.namespaces = namespaces
        self.nodes = nodes
        self.networks = networks
        self.pods = pods
    }

    /// An informer of the Services that keeps only what names are made of.
    public static func services(client: KubernetesClient, logger: Logger) -> Informer<NamedService> {
        Informer(client: client, logger: logger) { NamedService(try KubernetesAPI.Service(json: $0)) }
    }

    /// An informer of the slices of endpoints that keeps only what names are made of.
    public static func endpointSlices(
        _ configuration: ClusterDNSConfiguration, client: KubernetesClient, logger: Logger
    ) -> Informer<NamedEndpoints> {
        let usesPodNames = configuration.names.usesPodNames
        return Informer(client: client, logger: logger) {
            NamedEndpoints(try EndpointSlice(json: $0), usingPodNames: usesPodNames)
        }
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
