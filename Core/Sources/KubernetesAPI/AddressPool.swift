/// Prefixes for one purpose: the blocks of pod addresses, the addresses of Services, or those of load balancers.
public struct AddressPool: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .addressPools }

    /// Keeps a pool while somebody holds a block of it.
    public static let finalizer = "network.duet.dev/address-pool"

    /// Name of the pool that the flags of the cluster make.
    public static let defaultName = "default"

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: AddressPoolSpec?
    /// Observed state.
    public var status: AddressPoolStatus?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: AddressPoolSpec? = nil, status: AddressPoolStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// Desired state of a pool.
public struct AddressPoolSpec: Codable, Sendable, Hashable {
    /// `Pods`, `Services` or `LoadBalancers`.
    public var purpose: String
    /// Disjoint prefixes of either family, in the order in which they are used.
    public var prefixes: [AddressPoolPrefix]
    /// The nodes that get blocks of this pool; nil means all that no other pool names.
    public var nodeSelector: NodeSelector?
    /// How large a node's block is.
    public var blockSize: AddressBlockSize?

    /// The purpose of a pool that nodes get their blocks from.
    public static let pods = "Pods"
    /// The purpose of a pool that Services get their addresses from.
    public static let services = "Services"
    /// The purpose of a pool that load balancers get their addresses from.
    public static let loadBalancers = "LoadBalancers"

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        purpose: String, prefixes: [AddressPoolPrefix], nodeSelector: NodeSelector? = nil,
        blockSize: AddressBlockSize? = nil
    ) {
        self.purpose = purpose
        self.prefixes = prefixes
        self.nodeSelector = nodeSelector
        self.blockSize = blockSize
    }
}

/// One prefix of a pool.
public struct AddressPoolPrefix: Codable, Sendable, Hashable {
    /// The prefix.
    public var cidr: String
    /// `Active` (the default), or `Draining` when nothing new shall be taken from it.
    public var state: String?

    /// The state of a prefix that is used.
    public static let active = "Active"
    /// The state of a prefix that shall become empty.
    public static let draining = "Draining"

    /// Creates a value; a state left nil is absent on the wire.
    public init(cidr: String, state: String? = nil) {
        self.cidr = cidr
        self.state = state
    }
}

/// The prefix lengths of a node's blocks.
public struct AddressBlockSize: Codable, Sendable, Hashable {
    /// Prefix length of an IPv4 block.
    public var ipv4: Int?
    /// Prefix length of an IPv6 block.
    public var ipv6: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(ipv4: Int? = nil, ipv6: Int? = nil) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }
}

/// Observed state of a pool.
public struct AddressPoolStatus: Codable, Sendable, Hashable {
    /// Blocks of IPv4.
    public var ipv4: AddressPoolUsage?
    /// Blocks of IPv6.
    public var ipv6: AddressPoolUsage?
    /// Blocks of each prefix that is in use or in the specification.
    public var prefixes: [AddressPrefixUsage]?
    /// `Ready`, `Exhausted` and `Drained`.
    public var conditions: [Condition]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        ipv4: AddressPoolUsage? = nil, ipv6: AddressPoolUsage? = nil, prefixes: [AddressPrefixUsage]? = nil,
        conditions: [Condition]? = nil
    ) {
        self.ipv4 = ipv4
        self.ipv6 = ipv6
        self.prefixes = prefixes
        self.conditions = conditions
    }
}

/// How many blocks of one family a pool has.
public struct AddressPoolUsage: Codable, Sendable, Hashable {
    /// Blocks that the active prefixes hold, at most 2^63 - 1.
    public var capacity: Int
    /// Blocks that nodes have, those in draining prefixes included.
    public var allocated: Int

    /// Creates a value.
    public init(capacity: Int, allocated: Int) {
        self.capacity = capacity
        self.allocated = allocated
    }
}

/// How many blocks of one prefix there are.
public struct AddressPrefixUsage: Codable, Sendable, Hashable {
    /// The prefix.
    public var cidr: String
    /// Blocks that it holds, at most 2^63 - 1.
    public var capacity: Int
    /// Blocks that nodes have.
    public var allocated: Int

    /// Creates a value.
    public init(cidr: String, capacity: Int, allocated: Int) {
        self.cidr = cidr
        self.capacity = capacity
        self.allocated = allocated
    }
}
