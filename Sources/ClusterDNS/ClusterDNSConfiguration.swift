public import Addresses
public import DNSMessage
public import KubernetesAPI

/// How a node answers for the cluster's names.
public struct ClusterDNSConfiguration: Sendable {
    /// The cluster domain.
    public var domain: DNSName
    /// How long records may be kept, in seconds.
    public var ttl: UInt32 = 30
    /// The Service whose cluster addresses the node answers on.
    public var service = ObjectKey(namespace: "kube-system", name: "kube-dns")
    /// The port to answer on.
    public var port: UInt16 = 53
    /// The link that gets the cluster addresses; nil leaves addresses alone.
    public var link: String? = "lo"
    /// The servers that names outside the cluster are asked from, in order of preference.
    public var upstreams: [IPAddress] = []
    /// The port of these servers.
    public var upstreamPort: UInt16 = 53

    /// Makes a configuration; nil if the domain is not a name with room below it.
    public init?(clusterDomain: String = "cluster.local", upstreams: [IPAddress] = []) {
        guard let domain = DNSName(clusterDomain), ClusterZone(domain: domain, ttl: 0) != nil else { return nil }
        self.domain = domain
        self.upstreams = upstreams
    }
}
