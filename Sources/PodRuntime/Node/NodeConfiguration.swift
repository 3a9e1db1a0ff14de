public import Addresses
public import KubernetesAPI

/// What a node's pod runtime must know.
public struct NodeConfiguration: Sendable {
    /// Name of the Node object.
    public var nodeName: String
    /// File with the server's address and the node's certificate, which also serves port 10250.
    public var kubeconfigPath: String
    /// Socket of the container runtime.
    public var criEndpoint: String
    /// Directory of the network configurations that the runtime reads.
    public var cniConfDir: String
    /// Directory of the CNI plugins that the runtime calls.
    public var cniBinDir: String
    /// Directory of the pods' volumes and files.
    public var rootDirectory: String
    /// Directory of the pods' logs.
    public var logDirectory: String
    /// Addresses of the node, primary first; empty finds those of the interfaces with the default routes.
    public var nodeAddresses: [IPAddress]
    /// Port of the node's own HTTPS API.
    public var port: Int
    /// Control group below which the pods' groups are made, relative to the root of each hierarchy.
    public var cgroupParent: String
    /// Labels of the Node object besides the usual ones.
    public var labels: [String: String]
    /// Taints that the Node object gets when it is created.
    public var taints: [Taint]
    /// Domain of the cluster's names.
    public var clusterDomain = "cluster.local"
    /// Resolver configuration of the node.
    public var resolvConfPath = "/etc/resolv.conf"
    /// Number of pods that the node accepts.
    public var maximumPods = 110

    /// Creates a configuration with the usual paths.
    ///
    /// - Parameter logDirectory: `logs` in the root directory when nil.
    public init(
        nodeName: String, kubeconfigPath: String, criEndpoint: String = "unix:///run/containerd/containerd.sock",
        cniConfDir: String = "/etc/cni/net.d", cniBinDir: String = "/opt/cni/bin",
        rootDirectory: String = "/var/lib/duet-node", logDirectory: String? = nil, nodeAddresses: [IPAddress] = [],
        port: Int = 10250, cgroupParent: String = "/kubepods", labels: [String: String] = [:], taints: [Taint] = []
    ) {
        self.nodeName = nodeName
        self.kubeconfigPath = kubeconfigPath
        self.criEndpoint = criEndpoint
        self.cniConfDir = cniConfDir
        self.cniBinDir = cniBinDir
        self.rootDirectory = rootDirectory
        self.logDirectory = logDirectory ?? "\(rootDirectory)/logs"
        self.nodeAddresses = nodeAddresses
        self.port = port
        self.cgroupParent = cgroupParent
        self.labels = labels
        self.taints = taints
    }
}

/// A configuration with which a node cannot run.
public struct NodeConfigurationError: Error, Sendable, CustomStringConvertible {
    /// What is wrong and what to do.
    public let description: String
}
