/// The addresses behind a Service, of its primary family; superseded by EndpointSlice.
public struct Endpoints: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .endpoints }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Addresses grouped by their ports.
    public var subsets: [EndpointSubset]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), subsets: [EndpointSubset]? = nil) {
        self.metadata = metadata
        self.subsets = subsets
    }
}

/// Addresses that share a list of ports.
public struct EndpointSubset: Codable, Sendable, Hashable {
    /// Ready ones.
    public var addresses: [EndpointAddress]?
    /// Others.
    public var notReadyAddresses: [EndpointAddress]?
    /// Ports of all these addresses.
    public var ports: [EndpointPort]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        addresses: [EndpointAddress]? = nil, notReadyAddresses: [EndpointAddress]? = nil, ports: [EndpointPort]? = nil
    ) {
        self.addresses = addresses
        self.notReadyAddresses = notReadyAddresses
        self.ports = ports
    }
}

/// An address behind a Service.
public struct EndpointAddress: Codable, Sendable, Hashable {
    /// Address.
    public var ip: String
    /// Name within the Service.
    public var hostname: String?
    /// Node it is on.
    public var nodeName: String?
    /// Pod it belongs to.
    public var targetRef: ObjectReference?

    /// Creates a value; fields left nil are absent on the wire.
    public init(ip: String, hostname: String? = nil, nodeName: String? = nil, targetRef: ObjectReference? = nil) {
        self.ip = ip
        self.hostname = hostname
        self.nodeName = nodeName
        self.targetRef = targetRef
    }
}

/// A port behind a Service, in Endpoints and EndpointSlices.
public struct EndpointPort: Codable, Sendable, Hashable {
    /// Name of the Service's port.
    public var name: String?
    /// Port number; absent in a slice means every port.
    public var port: Int?
    /// `TCP` (the default), `UDP` or `SCTP`.
    public var `protocol`: String?
    /// Application protocol.
    public var appProtocol: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(name: String? = nil, port: Int? = nil, `protocol`: String? = nil, appProtocol: String? = nil) {
        self.name = name
        self.port = port
        self.protocol = `protocol`
        self.appProtocol = appProtocol
    }
}
