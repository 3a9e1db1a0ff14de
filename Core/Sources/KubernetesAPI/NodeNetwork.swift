/// The blocks of pod addresses of the node of the same name, and how full they are.
///
/// `spec` is written by the controller of blocks, `status` by the node.
public struct NodeNetwork: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .nodeNetworks }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: NodeNetworkSpec?
    /// Observed state.
    public var status: NodeNetworkStatus?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        metadata: ObjectMeta = ObjectMeta(), spec: NodeNetworkSpec? = nil, status: NodeNetworkStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// The blocks that a node shall use.
public struct NodeNetworkSpec: Codable, Sendable, Hashable {
    /// All blocks of the node, those in the Node's `spec.podCIDRs` first.
    public var blocks: [NodeBlock]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(blocks: [NodeBlock]? = nil) {
        self.blocks = blocks
    }
}

/// A block of pod addresses that belongs to a node.
public struct NodeBlock: Codable, Sendable, Hashable {
    /// The block.
    public var cidr: String
    /// The pool that it comes from; nil for one that lies in no pool.
    public var pool: String?
    /// `Active`, or `Releasing` when no address of it shall be given any more.
    public var state: String?

    /// The state of a block that pods get addresses from.
    public static let active = "Active"
    /// The state of a block that shall become empty; it is routed as long as it is listed.
    public static let releasing = "Releasing"

    /// Creates a value; fields left nil are absent on the wire.
    public init(cidr: String, pool: String? = nil, state: String? = nil) {
        self.cidr = cidr
        self.pool = pool
        self.state = state
    }

    /// Whether no address of the block shall be given any more.
    public var isReleasing: Bool { state == Self.releasing }
}

/// What a node says of its network.
public struct NodeNetworkStatus: Codable, Sendable, Hashable {
    /// How full each block is.
    public var blocks: [NodeBlockUsage]?
    /// The node's key of the WireGuard tunnels, in base64.
    public var wireGuardPublicKey: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(blocks: [NodeBlockUsage]? = nil, wireGuardPublicKey: String? = nil) {
        self.blocks = blocks
        self.wireGuardPublicKey = wireGuardPublicKey
    }
}

/// How full a block is.
public struct NodeBlockUsage: Codable, Sendable, Hashable {
    /// The block.
    public var cidr: String
    /// Addresses that pods have.
    public var used: Int
    /// Addresses that pods can have, at most 2^63 - 1.
    public var capacity: Int
    /// The state that the node has put into effect; `Releasing` says that `used` will not grow.
    public var state: String?

    /// Creates a value; a state left nil is absent on the wire.
    public init(cidr: String, used: Int, capacity: Int, state: String? = nil) {
        self.cidr = cidr
        self.used = used
        self.capacity = capacity
        self.state = state
    }
}
