/// A machine that runs pods.
public struct Node: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .nodes }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: NodeSpec?
    /// Observed state.
    public var status: NodeStatus?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: NodeSpec? = nil, status: NodeStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// Desired state of a node.
public struct NodeSpec: Codable, Sendable, Hashable {
    /// First of `podCIDRs`.
    public var podCIDR: String?
    /// Blocks for pod addresses, at most one of each family.
    public var podCIDRs: [String]?
    /// Identity at the infrastructure's provider.
    public var providerID: String?
    /// True keeps new pods away.
    public var unschedulable: Bool?
    /// Marks that repel pods which do not tolerate them.
    public var taints: [Taint]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        podCIDR: String? = nil, podCIDRs: [String]? = nil, providerID: String? = nil, unschedulable: Bool? = nil,
        taints: [Taint]? = nil
    ) {
        self.podCIDR = podCIDR
        self.podCIDRs = podCIDRs
        self.providerID = providerID
        self.unschedulable = unschedulable
        self.taints = taints
    }
}

/// A mark on a node that repels pods.
public struct Taint: Codable, Sendable, Hashable {
    /// Name.
    public var key: String
    /// Value.
    public var value: String?
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    public var effect: String
    /// RFC 3339 time at which a `NoExecute` taint came.
    public var timeAdded: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(key: String, value: String? = nil, effect: String, timeAdded: String? = nil) {
        self.key = key
        self.value = value
        self.effect = effect
        self.timeAdded = timeAdded
    }
}

/// Observed state of a node.
public struct NodeStatus: Codable, Sendable, Hashable {
    /// Resources that the machine has.
    public var capacity: [String: Quantity]?
    /// Resources that pods may use.
    public var allocatable: [String: Quantity]?
    /// Unused by current versions.
    public var phase: String?
    /// Ready, pressures.
    public var conditions: [Condition]?
    /// Addresses and names, primary family first.
    public var addresses: [NodeAddress]?
    /// Ports of the node's own services.
    public var daemonEndpoints: NodeDaemonEndpoints?
    /// Versions of what runs the node.
    public var nodeInfo: NodeSystemInfo?
    /// Images present.
    public var images: [ContainerImage]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        capacity: [String: Quantity]? = nil, allocatable: [String: Quantity]? = nil, phase: String? = nil,
        conditions: [Condition]? = nil, addresses: [NodeAddress]? = nil, daemonEndpoints: NodeDaemonEndpoints? = nil,
        nodeInfo: NodeSystemInfo? = nil, images: [ContainerImage]? = nil
    ) {
        self.capacity = capacity
        self.allocatable = allocatable
        self.phase = phase
        self.conditions = conditions
        self.addresses = addresses
        self.daemonEndpoints = daemonEndpoints
        self.nodeInfo = nodeInfo
        self.images = images
    }
}

/// One address or name of a node.
public struct NodeAddress: Codable, Sendable, Hashable {
    /// Such as `InternalIP` or `Hostname`.
    public var type: String
    /// The address.
    public var address: String

    /// Creates a value.
    public init(type: String, address: String) {
        self.type = type
        self.address = address
    }
}

/// Ports of the node's own services.
public struct NodeDaemonEndpoints: Codable, Sendable, Hashable {
    /// Port of the pod runtime's API.
    public var kubeletEndpoint: DaemonEndpoint?

    /// Creates a value; fields left nil are absent on the wire.
    public init(kubeletEndpoint: DaemonEndpoint? = nil) {
        self.kubeletEndpoint = kubeletEndpoint
    }
}

/// A port of a daemon.
public struct DaemonEndpoint: Codable, Sendable, Hashable {
    /// Port number; `Port`, capitalised, on the wire.
    public var port: Int

    /// Creates a value.
    public init(port: Int) {
        self.port = port
    }

    private enum CodingKeys: String, CodingKey {
        case port = "Port"
    }
}

/// Versions of what runs the node.
public struct NodeSystemInfo: Codable, Sendable, Hashable {
    /// From `/etc/machine-id`.
    public var machineID: String?
    /// From the firmware.
    public var systemUUID: String?
    /// New at each boot.
    public var bootID: String?
    /// As `uname -r` prints.
    public var kernelVersion: String?
    /// Name of the distribution.
    public var osImage: String?
    /// `runtime://version`.
    public var containerRuntimeVersion: String?
    /// Version of the pod runtime.
    public var kubeletVersion: String?
    /// Version of the service proxy.
    public var kubeProxyVersion: String?
    /// `linux`.
    public var operatingSystem: String?
    /// Such as `amd64`.
    public var architecture: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        machineID: String? = nil, systemUUID: String? = nil, bootID: String? = nil, kernelVersion: String? = nil,
        osImage: String? = nil, containerRuntimeVersion: String? = nil, kubeletVersion: String? = nil,
        kubeProxyVersion: String? = nil, operatingSystem: String? = nil, architecture: String? = nil
    ) {
        self.machineID = machineID
        self.systemUUID = systemUUID
        self.bootID = bootID
        self.kernelVersion = kernelVersion
        self.osImage = osImage
        self.containerRuntimeVersion = containerRuntimeVersion
        self.kubeletVersion = kubeletVersion
        self.kubeProxyVersion = kubeProxyVersion
        self.operatingSystem = operatingSystem
        self.architecture = architecture
    }
}

/// An image present on a node.
public struct ContainerImage: Codable, Sendable, Hashable {
    /// Names it is known by.
    public var names: [String]?
    /// Size in bytes.
    public var sizeBytes: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(names: [String]? = nil, sizeBytes: Int? = nil) {
        self.names = names
        self.sizeBytes = sizeBytes
    }
}
