/// Containers that share a network and a lifetime.
public struct Pod: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .pods }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: PodSpec?
    /// Observed state.
    public var status: PodStatus?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: PodSpec? = nil, status: PodStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The pods that a workload makes.
public struct PodTemplateSpec: Codable, Sendable, Hashable {
    /// Labels and annotations of the pods.
    public var metadata: ObjectMeta?
    /// Desired state of the pods.
    public var spec: PodSpec?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta? = nil, spec: PodSpec? = nil) {
        self.metadata = metadata
        self.spec = spec
    }
}
