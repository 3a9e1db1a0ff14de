public import Addresses

/// How Services answer on a node, where there is a choice.
public struct ProxyOptions: Hashable, Sendable {
    /// On which of a node's addresses node ports answer.
    public enum NodePortAddresses: Hashable, Sendable {
        /// On all but loopback addresses.
        case all
        /// On the node's first address of each family.
        case primary
        /// On those in one of these prefixes; a family without a prefix has no node ports.
        case within([IPPrefix])
    }

    /// On which of the node's addresses node ports answer.
    public var nodePortAddresses: NodePortAddresses
    /// Whether node ports answer on loopback addresses too, to callers on the node itself.
    ///
    /// Of IPv4 alone: Linux takes no answer for `::1` from a link.
    public var answersOnLoopback: Bool
    /// Whether every caller of a cluster address is masqueraded, the node's own pods included.
    public var masqueradesAll: Bool
    /// The port of `/healthz` and `/livez`; nil for none.
    public var healthPort: UInt16?
    /// The port that kube-proxy has for them.
    public static let defaultHealthPort: UInt16 = 10_256
    /// Whether the rules that kube-proxy has left are removed as soon as there are others in their place.
    public var replacesKubeProxy: Bool
    /// Where calls are led to endpoints while they are made; nil for nowhere.
    public var connectTime: ConnectTimeOptions?
    /// How endpoints without an address of the caller's family are reached; nil when they are not.
    public var crossFamily: CrossFamilyOptions?
    /// How many connections the kernel tracks, and for how long; nil leaves that as it is.
    public var tracking: TrackingLimits?

    /// Options; the defaults are those of kube-proxy, but for node ports, which answer on every address of the node.
    public init(
        nodePortAddresses: NodePortAddresses = .all, answersOnLoopback: Bool = false, masqueradesAll: Bool = false,
        healthPort: UInt16? = defaultHealthPort, replacesKubeProxy: Bool = false,
        connectTime: ConnectTimeOptions? = nil, crossFamily: CrossFamilyOptions? = nil,
        tracking: TrackingLimits? = nil
    ) {
        self.nodePortAddresses = nodePortAddresses
        self.answersOnLoopback = answersOnLoopback
        self.masqueradesAll = masqueradesAll
        self.healthPort = healthPort
        self.replacesKubeProxy = replacesKubeProxy
        self.connectTime = connectTime
        self.crossFamily = crossFamily
        self.tracking = tracking
    }
}
