/// Metadata that every object carries.
public struct ObjectMeta: Codable, Sendable, Hashable {
    /// Name, unique within the resource and namespace.
    public var name: String?
    /// Prefix from which the server makes a name when none is given.
    public var generateName: String?
    /// Namespace of a namespaced object.
    public var namespace: String?
    /// Identity in time and space; a recreated object has another.
    public var uid: String?
    /// Opaque version for concurrency and watches.
    public var resourceVersion: String?
    /// Counts changes of the desired state.
    public var generation: Int?
    /// RFC 3339 time of creation.
    public var creationTimestamp: String?
    /// RFC 3339 time at which deletion is due; set means deletion has begun.
    public var deletionTimestamp: String?
    /// Seconds granted for a graceful end.
    public var deletionGracePeriodSeconds: Int?
    /// Identifying pairs that selectors match.
    public var labels: [String: String]?
    /// Free pairs that nothing selects by.
    public var annotations: [String: String]?
    /// Objects whose deletion takes this one along.
    public var ownerReferences: [OwnerReference]?
    /// Parties that must act before the object may go.
    public var finalizers: [String]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        name: String? = nil, generateName: String? = nil, namespace: String? = nil, uid: String? = nil,
        resourceVersion: String? = nil, generation: Int? = nil, creationTimestamp: String? = nil,
        deletionTimestamp: String? = nil, deletionGracePeriodSeconds: Int? = nil, labels: [String: String]? = nil,
        annotations: [String: String]? = nil, ownerReferences: [OwnerReference]? = nil, finalizers: [String]? = nil
    ) {
        self.name = name
        self.generateName = generateName
        self.namespace = namespace
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.generation = generation
        self.creationTimestamp = creationTimestamp
        self.deletionTimestamp = deletionTimestamp
        self.deletionGracePeriodSeconds = deletionGracePeriodSeconds
        self.labels = labels
        self.annotations = annotations
        self.ownerReferences = ownerReferences
        self.finalizers = finalizers
    }
}

/// A dependent's pointer to its owner in the same namespace, or a cluster-scoped one.
public struct OwnerReference: Codable, Sendable, Hashable {
    /// Group and version of the owner.
    public var apiVersion: String
    /// Kind of the owner.
    public var kind: String
    /// Name of the owner.
    public var name: String
    /// UID of the owner.
    public var uid: String
    /// True for the one owner that manages the object.
    public var controller: Bool?
    /// True when a foreground deletion of the owner waits for this object.
    public var blockOwnerDeletion: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        apiVersion: String, kind: String, name: String, uid: String, controller: Bool? = nil,
        blockOwnerDeletion: Bool? = nil
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.name = name
        self.uid = uid
        self.controller = controller
        self.blockOwnerDeletion = blockOwnerDeletion
    }
}

/// A pointer to any object.
public struct ObjectReference: Codable, Sendable, Hashable {
    /// Group and version.
    public var apiVersion: String?
    /// Kind.
    public var kind: String?
    /// Namespace.
    public var namespace: String?
    /// Name.
    public var name: String?
    /// UID.
    public var uid: String?
    /// Version that was seen.
    public var resourceVersion: String?
    /// Part of the object that is meant.
    public var fieldPath: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        apiVersion: String? = nil, kind: String? = nil, namespace: String? = nil, name: String? = nil,
        uid: String? = nil, resourceVersion: String? = nil, fieldPath: String? = nil
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.resourceVersion = resourceVersion
        self.fieldPath = fieldPath
    }
}

/// One aspect of an object's observed state.
public struct Condition: Codable, Sendable, Hashable {
    /// Name of the aspect.
    public var type: String
    /// `True`, `False` or `Unknown`.
    public var status: String
    /// Generation that the condition speaks of.
    public var observedGeneration: Int?
    /// RFC 3339 time of the last probe.
    public var lastProbeTime: String?
    /// RFC 3339 time of the last report.
    public var lastHeartbeatTime: String?
    /// RFC 3339 time of the last update.
    public var lastUpdateTime: String?
    /// RFC 3339 time of the last change of `status`.
    public var lastTransitionTime: String?
    /// One CamelCase word.
    public var reason: String?
    /// A sentence for people.
    public var message: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        type: String, status: String, observedGeneration: Int? = nil, lastProbeTime: String? = nil,
        lastHeartbeatTime: String? = nil, lastUpdateTime: String? = nil, lastTransitionTime: String? = nil,
        reason: String? = nil, message: String? = nil
    ) {
        self.type = type
        self.status = status
        self.observedGeneration = observedGeneration
        self.lastProbeTime = lastProbeTime
        self.lastHeartbeatTime = lastHeartbeatTime
        self.lastUpdateTime = lastUpdateTime
        self.lastTransitionTime = lastTransitionTime
        self.reason = reason
        self.message = message
    }
}
