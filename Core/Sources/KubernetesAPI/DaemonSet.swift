public import JSON

/// One pod on every eligible node.
public struct DaemonSet: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .daemonSets }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: DaemonSetSpec?
    /// Observed state.
    public var status: DaemonSetStatus?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: DaemonSetSpec? = nil, status: DaemonSetStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// Desired state of a DaemonSet.
public struct DaemonSetSpec: Codable, Sendable, Hashable {
    /// Pods that belong to it.
    public var selector: LabelSelector?
    /// The pods to make, with every field as the user wrote it.
    public var template: JSONValue?
    /// How pods are replaced.
    public var updateStrategy: DaemonSetUpdateStrategy?
    /// Seconds a pod must be ready to count as available.
    public var minReadySeconds: Int?
    /// Old revisions kept; 10.
    public var revisionHistoryLimit: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        selector: LabelSelector? = nil, template: JSONValue? = nil, updateStrategy: DaemonSetUpdateStrategy? = nil,
        minReadySeconds: Int? = nil, revisionHistoryLimit: Int? = nil
    ) {
        self.selector = selector
        self.template = template
        self.updateStrategy = updateStrategy
        self.minReadySeconds = minReadySeconds
        self.revisionHistoryLimit = revisionHistoryLimit
    }
}

/// How pods of a DaemonSet are replaced.
public struct DaemonSetUpdateStrategy: Codable, Sendable, Hashable {
    /// `RollingUpdate` or `OnDelete`.
    public var type: String?
    /// Bounds of a rolling update.
    public var rollingUpdate: RollingUpdate?

    /// Creates a value; fields left nil are absent on the wire.
    public init(type: String? = nil, rollingUpdate: RollingUpdate? = nil) {
        self.type = type
        self.rollingUpdate = rollingUpdate
    }
}

/// Observed state of a DaemonSet.
public struct DaemonSetStatus: Codable, Sendable, Hashable {
    /// Eligible nodes that have the pod.
    public var currentNumberScheduled: Int
    /// Other nodes that have the pod.
    public var numberMisscheduled: Int
    /// Eligible nodes.
    public var desiredNumberScheduled: Int
    /// Nodes whose pod is ready.
    public var numberReady: Int
    /// Generation that the status speaks of.
    public var observedGeneration: Int?
    /// Nodes whose pod has the newest template.
    public var updatedNumberScheduled: Int?
    /// Nodes whose pod is available.
    public var numberAvailable: Int?
    /// Nodes whose pod is missing or not available.
    public var numberUnavailable: Int?
    /// Changes the hash when two templates collide.
    public var collisionCount: Int?
    /// Conditions.
    public var conditions: [Condition]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        currentNumberScheduled: Int = 0, numberMisscheduled: Int = 0, desiredNumberScheduled: Int = 0,
        numberReady: Int = 0, observedGeneration: Int? = nil, updatedNumberScheduled: Int? = nil,
        numberAvailable: Int? = nil, numberUnavailable: Int? = nil, collisionCount: Int? = nil,
        conditions: [Condition]? = nil
    ) {
        self.currentNumberScheduled = currentNumberScheduled
        self.numberMisscheduled = numberMisscheduled
        self.desiredNumberScheduled = desiredNumberScheduled
        self.numberReady = numberReady
        self.observedGeneration = observedGeneration
        self.updatedNumberScheduled = updatedNumberScheduled
        self.numberAvailable = numberAvailable
        self.numberUnavailable = numberUnavailable
        self.collisionCount = collisionCount
        self.conditions = conditions
    }
}
