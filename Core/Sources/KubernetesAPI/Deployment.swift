public import JSON

/// Replicated pods that are replaced gradually.
public struct Deployment: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .deployments }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: DeploymentSpec?
    /// Observed state.
    public var status: DeploymentStatus?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: DeploymentSpec? = nil, status: DeploymentStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// Desired state of a Deployment.
public struct DeploymentSpec: Codable, Sendable, Hashable {
    /// Number of pods; 1.
    public var replicas: Int?
    /// Pods that belong to it.
    public var selector: LabelSelector?
    /// The pods to make, with every field as the user wrote it.
    public var template: JSONValue?
    /// How pods are replaced.
    public var strategy: DeploymentStrategy?
    /// Seconds a pod must be ready to count as available.
    public var minReadySeconds: Int?
    /// Old ReplicaSets kept; 10.
    public var revisionHistoryLimit: Int?
    /// True holds changes back.
    public var paused: Bool?
    /// Seconds without progress that count as failure; 600.
    public var progressDeadlineSeconds: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        replicas: Int? = nil, selector: LabelSelector? = nil, template: JSONValue? = nil,
        strategy: DeploymentStrategy? = nil, minReadySeconds: Int? = nil, revisionHistoryLimit: Int? = nil,
        paused: Bool? = nil, progressDeadlineSeconds: Int? = nil
    ) {
        self.replicas = replicas
        self.selector = selector
        self.template = template
        self.strategy = strategy
        self.minReadySeconds = minReadySeconds
        self.revisionHistoryLimit = revisionHistoryLimit
        self.paused = paused
        self.progressDeadlineSeconds = progressDeadlineSeconds
    }
}

/// How pods are replaced.
public struct DeploymentStrategy: Codable, Sendable, Hashable {
    /// `RollingUpdate` or `Recreate`.
    public var type: String?
    /// Bounds of a rolling update.
    public var rollingUpdate: RollingUpdate?

    /// Creates a value; fields left nil are absent on the wire.
    public init(type: String? = nil, rollingUpdate: RollingUpdate? = nil) {
        self.type = type
        self.rollingUpdate = rollingUpdate
    }
}

/// Bounds of a rolling update.
public struct RollingUpdate: Codable, Sendable, Hashable {
    /// How many pods may be missing.
    public var maxUnavailable: IntOrString?
    /// How many pods may be too many.
    public var maxSurge: IntOrString?

    /// Creates a value; fields left nil are absent on the wire.
    public init(maxUnavailable: IntOrString? = nil, maxSurge: IntOrString? = nil) {
        self.maxUnavailable = maxUnavailable
        self.maxSurge = maxSurge
    }
}

/// Observed state of a Deployment.
public struct DeploymentStatus: Codable, Sendable, Hashable {
    /// Generation that the status speaks of.
    public var observedGeneration: Int?
    /// Pods that exist.
    public var replicas: Int?
    /// Pods of the newest template.
    public var updatedReplicas: Int?
    /// Pods that are ready.
    public var readyReplicas: Int?
    /// Pods that are available.
    public var availableReplicas: Int?
    /// Pods that are still missing.
    public var unavailableReplicas: Int?
    /// Available, Progressing, ReplicaFailure.
    public var conditions: [Condition]?
    /// Changes the hash when two templates collide.
    public var collisionCount: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        observedGeneration: Int? = nil, replicas: Int? = nil, updatedReplicas: Int? = nil, readyReplicas: Int? = nil,
        availableReplicas: Int? = nil, unavailableReplicas: Int? = nil, conditions: [Condition]? = nil,
        collisionCount: Int? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.replicas = replicas
        self.updatedReplicas = updatedReplicas
        self.readyReplicas = readyReplicas
        self.availableReplicas = availableReplicas
        self.unavailableReplicas = unavailableReplicas
        self.conditions = conditions
        self.collisionCount = collisionCount
    }
}
