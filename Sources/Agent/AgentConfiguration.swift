public import PodRouting
public import ServiceProxy

/// What the network agent of a node must be told.
public struct AgentConfiguration: Sendable {
    /// The file that says where the API server is and who the node is.
    public var kubeconfigPath: String
    /// The node's name, and how its pods reach others.
    public var routing: PodRoutingConfiguration
    /// The file that names the resolvers for names outside the cluster.
    public var resolvConf: String
    /// The domain of the cluster's own names.
    public var clusterDomain: String

    /// How Services answer on the node; nil when another proxy makes them answer.
    public var services: ProxyOptions?

    /// Describes an agent.
    public init(
        kubeconfigPath: String, routing: PodRoutingConfiguration, resolvConf: String = "/etc/resolv.conf",
        clusterDomain: String = "cluster.local", services: ProxyOptions? = ProxyOptions()
    ) {
        self.kubeconfigPath = kubeconfigPath
        self.routing = routing
        self.resolvConf = resolvConf
        self.clusterDomain = clusterDomain
        self.services = services
    }
}
