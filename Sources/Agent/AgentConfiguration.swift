public import ServiceProxy

/// What the network agent of a node must be told.
public struct AgentConfiguration: Sendable {
    /// The file that says where the API server is and who the node is.
    public var kubeconfigPath: String
    /// The node's name.
    public var nodeName: String
    /// The directory that the container runtime reads network configurations from.
    public var cniConfDir: String
    /// The directory of the CNI plugins.
    public var cniBinDir: String
    /// The file that names the resolvers for names outside the cluster.
    public var resolvConf: String
    /// The domain of the cluster's own names.
    public var clusterDomain: String

    /// How Services answer on the node.
    public var services: ProxyOptions

    /// Describes an agent.
    public init(
        kubeconfigPath: String, nodeName: String, cniConfDir: String = "/etc/cni/net.d",
        cniBinDir: String = "/opt/cni/bin", resolvConf: String = "/etc/resolv.conf",
        clusterDomain: String = "cluster.local", services: ProxyOptions = ProxyOptions()
    ) {
        self.kubeconfigPath = kubeconfigPath
        self.nodeName = nodeName
        self.cniConfDir = cniConfDir
        self.cniBinDir = cniBinDir
        self.resolvConf = resolvConf
        self.clusterDomain = clusterDomain
        self.services = services
    }
}
