/// Where calls of Services are led to endpoints while they are made, instead of by the packets' way.
public struct ConnectTimeOptions: Hashable, Sendable {
    /// The cgroup whose processes are served, as a path below the v2 hierarchy; nil to find the pods' own.
    ///
    /// Of an own cgroup all network namespaces but the node's are taken for pods. Without one the kubelet's cgroup of pods
    /// is, and calls from the node's namespace are served in all cgroups.
    public var cgroup: String?

    /// Options.
    public init(cgroup: String? = nil) {
        self.cgroup = cgroup
    }
}
