/// What the routing of a node must be told.
public struct PodRoutingConfiguration: Sendable {
    /// The node's name.
    public var nodeName: String
    /// The directory that the container runtime reads network configurations from.
    public var cniConfDir: String
    /// The directory of the CNI plugins.
    public var cniBinDir: String

    /// Describes a node.
    public init(nodeName: String, cniConfDir: String = "/etc/cni/net.d", cniBinDir: String = "/opt/cni/bin") {
        self.nodeName = nodeName
        self.cniConfDir = cniConfDir
        self.cniBinDir = cniBinDir
    }
}
