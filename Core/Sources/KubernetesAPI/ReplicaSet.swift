public import JSON

/// A number of equal pods.
public struct ReplicaSet: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .replicaSets }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: ReplicaSetSpec?
    /// Observed state.
    public var status: ReplicaSetStatus?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: ReplicaSetSpec? = nil, status: ReplicaSetStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// Desired state of a ReplicaSet.
public struct ReplicaSetSpec: Codable, Sendable, Hashable {
    /// Number of pods; 1.
    public var replicas: Int?
    /// Seconds a pod must be ready to count as available.
    public var minReadySeconds: Int?
    /// Pods that belong to it.
    public var selector: LabelSelector?
    /// The pods to make, with every field as the user wrote it.
    public var template: JSONValue?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        replicas: Int? = nil, minReadySeconds: Int? = nil, selector: LabelSelector? = nil, template: JSONValue? = nil
    ) {
        self.replicas = replicas
        self.minReadySeconds = minReadySeconds
        self.selector = selector
        self.template = template
    }
}

/// Observed state of a ReplicaSet.
public struct ReplicaSetStatus: Codable, Sendable, Hashable {
    /// Pods that exist.
    public var replicas: Int
    /// Pods that carry every label of the template.
    public var fullyLabeledReplicas: Int?
    /// Pods that are ready.
    public var readyReplicas: Int?
    /// Pods that are available.
    public var availableReplicas: Int?
    /// Generation that the status speaks of.
    public var observedGeneration: Int?
    /// ReplicaFailure.
    public var conditions: [Condition]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        replicas: Int = 0, fullyLabeledReplicas: Int? = nil, readyReplicas: Int? = nil, availableReplicas: Int? = nil,
        observedGeneration: Int? = nil, conditions: [Condition]? = nil
    ) {
        self.replicas = replicas
        self.fullyLabeledReplicas = fullyLabeledReplicas
        self.readyReplicas = readyReplicas
        self.availableReplicas = availableReplicas
        self.observedGeneration = observedGeneration
        self.conditions = conditions
    }
}
