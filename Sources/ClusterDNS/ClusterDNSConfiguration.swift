public import Addresses
public import ClusterNames
public import DNSResolution
public import DNSServing
public import KubernetesAPI

/// How a node answers for the cluster's names.
public struct ClusterDNSConfiguration: Sendable {
    /// The cluster domain and how it is answered for.
    public var zone: ZoneSettings
    /// Choices about the names of Services and endpoints.
    public var names = ClusterNamesOptions()
    /// How the server answers.
    public var server = DNSServerConfiguration()
    /// The Service whose cluster addresses the node answers on.
    public var service = ObjectKey(namespace: "kube-system", name: "kube-dns")
    /// The link that gets the addresses; nil leaves addresses alone.
    public var link: String? = "lo"
    /// Further addresses to answer on, which are the node's own affair.
    public var localAddresses: Set<IPAddress> = []
    /// The node, whose pods are told apart by their families; nil knows no pod.
    public var nodeName: String?
    /// The servers that names outside the cluster are asked from; nil for those of `resolvConf`.
    public var upstreams: [Upstream]?
    /// Servers of single domains.
    public var stubs: [ForwardRule] = []
    /// The file that names the servers, and is followed.
    public var resolvConf = "/etc/resolv.conf"
    /// Whether other nodes' servers stand in for this one, and it for them; takes the node's name.
    public var hasFailover = true
    /// Networks that are answered beside those of pods and nodes.
    public var allowed: [IPPrefix] = []
    /// The port of `/metrics`; nil for none.
    public var metricsPort: UInt16?
    /// Where the next process takes the sockets over; nil for no such place.
    public var handoverPath: String?
    /// How long a process that is told to end goes on answering, so that the next one can take over; in seconds.
    public var lameduckSeconds = 0

    /// Makes the usual configuration.
    public init(zone: ZoneSettings) { self.zone = zone }
}
