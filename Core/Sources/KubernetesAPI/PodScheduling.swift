/// A taint that a pod bears.
public struct Toleration: Codable, Sendable, Hashable {
    /// Key; absent with `Exists` means every taint.
    public var key: String?
    /// `Equal` (the default) or `Exists`.
    public var `operator`: String?
    /// Value for `Equal`.
    public var value: String?
    /// Effect; absent means every effect.
    public var effect: String?
    /// Seconds that a `NoExecute` taint is borne; absent means for ever.
    public var tolerationSeconds: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        key: String? = nil, `operator`: String? = nil, value: String? = nil, effect: String? = nil,
        tolerationSeconds: Int? = nil
    ) {
        self.key = key
        self.operator = `operator`
        self.value = value
        self.effect = effect
        self.tolerationSeconds = tolerationSeconds
    }
}

/// Rules about the nodes and neighbours of a pod.
public struct Affinity: Codable, Sendable, Hashable {
    /// Rules about nodes.
    public var nodeAffinity: NodeAffinity?
    /// Pods to be near to.
    public var podAffinity: PodAffinity?
    /// Pods to be away from.
    public var podAntiAffinity: PodAffinity?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        nodeAffinity: NodeAffinity? = nil, podAffinity: PodAffinity? = nil, podAntiAffinity: PodAffinity? = nil
    ) {
        self.nodeAffinity = nodeAffinity
        self.podAffinity = podAffinity
        self.podAntiAffinity = podAntiAffinity
    }
}

/// Rules about the nodes of a pod.
public struct NodeAffinity: Codable, Sendable, Hashable {
    /// Rule that must hold.
    public var requiredDuringSchedulingIgnoredDuringExecution: NodeSelector?
    /// Rules that add to a node's score.
    public var preferredDuringSchedulingIgnoredDuringExecution: [PreferredSchedulingTerm]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        requiredDuringSchedulingIgnoredDuringExecution: NodeSelector? = nil,
        preferredDuringSchedulingIgnoredDuringExecution: [PreferredSchedulingTerm]? = nil
    ) {
        self.requiredDuringSchedulingIgnoredDuringExecution = requiredDuringSchedulingIgnoredDuringExecution
        self.preferredDuringSchedulingIgnoredDuringExecution = preferredDuringSchedulingIgnoredDuringExecution
    }
}

/// Alternatives, of which one must hold.
public struct NodeSelector: Codable, Sendable, Hashable {
    /// The alternatives; none matches nothing.
    public var nodeSelectorTerms: [NodeSelectorTerm]

    /// Creates a value.
    public init(nodeSelectorTerms: [NodeSelectorTerm] = []) {
        self.nodeSelectorTerms = nodeSelectorTerms
    }
}

/// Requirements that must all hold; an empty term matches nothing.
public struct NodeSelectorTerm: Codable, Sendable, Hashable {
    /// Requirements on labels.
    public var matchExpressions: [LabelSelectorRequirement]?
    /// Requirements on fields (`metadata.name`).
    public var matchFields: [LabelSelectorRequirement]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(matchExpressions: [LabelSelectorRequirement]? = nil, matchFields: [LabelSelectorRequirement]? = nil) {
        self.matchExpressions = matchExpressions
        self.matchFields = matchFields
    }
}

/// A rule that adds to a node's score.
public struct PreferredSchedulingTerm: Codable, Sendable, Hashable {
    /// 1 to 100.
    public var weight: Int
    /// The rule.
    public var preference: NodeSelectorTerm

    /// Creates a value.
    public init(weight: Int, preference: NodeSelectorTerm) {
        self.weight = weight
        self.preference = preference
    }
}

/// Rules about the neighbours of a pod.
public struct PodAffinity: Codable, Sendable, Hashable {
    /// Rules that must hold.
    public var requiredDuringSchedulingIgnoredDuringExecution: [PodAffinityTerm]?
    /// Rules that add to a node's score.
    public var preferredDuringSchedulingIgnoredDuringExecution: [WeightedPodAffinityTerm]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        requiredDuringSchedulingIgnoredDuringExecution: [PodAffinityTerm]? = nil,
        preferredDuringSchedulingIgnoredDuringExecution: [WeightedPodAffinityTerm]? = nil
    ) {
        self.requiredDuringSchedulingIgnoredDuringExecution = requiredDuringSchedulingIgnoredDuringExecution
        self.preferredDuringSchedulingIgnoredDuringExecution = preferredDuringSchedulingIgnoredDuringExecution
    }
}

/// A set of pods, and the topology in which they count as near.
public struct PodAffinityTerm: Codable, Sendable, Hashable {
    /// Pods that are meant; absent means none.
    public var labelSelector: LabelSelector?
    /// Their namespaces; absent means the pod's own.
    public var namespaces: [String]?
    /// Node label whose equal values mean near.
    public var topologyKey: String

    /// Creates a value; fields left nil are absent on the wire.
    public init(labelSelector: LabelSelector? = nil, namespaces: [String]? = nil, topologyKey: String) {
        self.labelSelector = labelSelector
        self.namespaces = namespaces
        self.topologyKey = topologyKey
    }
}

/// A weighted rule about neighbours.
public struct WeightedPodAffinityTerm: Codable, Sendable, Hashable {
    /// 1 to 100.
    public var weight: Int
    /// The rule.
    public var podAffinityTerm: PodAffinityTerm

    /// Creates a value.
    public init(weight: Int, podAffinityTerm: PodAffinityTerm) {
        self.weight = weight
        self.podAffinityTerm = podAffinityTerm
    }
}

/// How evenly pods spread over a topology.
public struct TopologySpreadConstraint: Codable, Sendable, Hashable {
    /// Largest difference between two domains.
    public var maxSkew: Int
    /// Node label that makes the domains.
    public var topologyKey: String
    /// `DoNotSchedule` or `ScheduleAnyway`.
    public var whenUnsatisfiable: String
    /// Pods that count.
    public var labelSelector: LabelSelector?

    /// Creates a value; fields left nil are absent on the wire.
    public init(maxSkew: Int, topologyKey: String, whenUnsatisfiable: String, labelSelector: LabelSelector? = nil) {
        self.maxSkew = maxSkew
        self.topologyKey = topologyKey
        self.whenUnsatisfiable = whenUnsatisfiable
        self.labelSelector = labelSelector
    }
}
