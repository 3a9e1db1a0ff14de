/// A scope for names.
public struct Namespace: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .namespaces }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: NamespaceSpec?
    /// Observed state.
    public var status: NamespaceStatus?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: NamespaceSpec? = nil, status: NamespaceStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// Desired state of a namespace.
public struct NamespaceSpec: Codable, Sendable, Hashable {
    /// Parties that must empty the namespace before it goes.
    public var finalizers: [String]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(finalizers: [String]? = nil) {
        self.finalizers = finalizers
    }
}

/// Observed state of a namespace.
public struct NamespaceStatus: Codable, Sendable, Hashable {
    /// `Active` or `Terminating`.
    public var phase: String?
    /// What hinders deletion.
    public var conditions: [Condition]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(phase: String? = nil, conditions: [Condition]? = nil) {
        self.phase = phase
        self.conditions = conditions
    }
}
