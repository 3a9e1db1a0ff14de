/// A claim that its holder renews.
public struct Lease: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .leases }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// The claim.
    public var spec: LeaseSpec?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: LeaseSpec? = nil) {
        self.metadata = metadata
        self.spec = spec
    }
}

/// Content of a claim.
public struct LeaseSpec: Codable, Sendable, Hashable {
    /// Who holds it.
    public var holderIdentity: String?
    /// Seconds after `renewTime` at which it lapses.
    public var leaseDurationSeconds: Int?
    /// RFC 3339 time with microseconds of the take-over.
    public var acquireTime: String?
    /// RFC 3339 time with microseconds of the last renewal.
    public var renewTime: String?
    /// Number of take-overs.
    public var leaseTransitions: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        holderIdentity: String? = nil, leaseDurationSeconds: Int? = nil, acquireTime: String? = nil,
        renewTime: String? = nil, leaseTransitions: Int? = nil
    ) {
        self.holderIdentity = holderIdentity
        self.leaseDurationSeconds = leaseDurationSeconds
        self.acquireTime = acquireTime
        self.renewTime = renewTime
        self.leaseTransitions = leaseTransitions
    }
}
