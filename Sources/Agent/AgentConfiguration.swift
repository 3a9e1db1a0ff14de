public import ClusterDNS
public import NodeTranslation
public import PodRouting
public import ServiceProxy

/// What the network agent of a node must be told.
public struct AgentConfiguration: Sendable {
    /// The file that says where the API server is and who the node is.
    public var kubeconfigPath: String
    /// The node's name, and how its pods reach others.
    public var routing: PodRoutingConfiguration
    /// How names are answered on the node.
    public var names: ClusterDNSConfiguration
    /// How Services answer on the node; nil when another proxy makes them answer.
    public var services: ProxyOptions?
    /// Where figures are told when another proxy makes Services answer; nil for nowhere.
    public var metricsPort: UInt16?
    /// How pods with IPv6 alone reach IPv4; nil when they do not.
    public var translation: NodeTranslationOptions?

    /// Describes an agent.
    public init(
        kubeconfigPath: String, routing: PodRoutingConfiguration, names: ClusterDNSConfiguration,
        services: ProxyOptions? = ProxyOptions(), metricsPort: UInt16? = nil, translation: NodeTranslationOptions? = nil
    ) {
        self.kubeconfigPath = kubeconfigPath
        self.routing = routing
        self.names = names
        self.services = services
        self.metricsPort = metricsPort
        self.translation = translation
    }
}
