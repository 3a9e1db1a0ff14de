/// Ranges that Services get their addresses from.
public struct ServiceCIDR: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .serviceCIDRs }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: ServiceCIDRSpec?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: ServiceCIDRSpec? = nil) {
        self.metadata = metadata
        self.spec = spec
    }
}

/// The ranges of a ServiceCIDR.
public struct ServiceCIDRSpec: Codable, Sendable, Hashable {
    /// One prefix, or one of each family.
    public var cidrs: [String]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(cidrs: [String]? = nil) {
        self.cidrs = cidrs
    }
}
