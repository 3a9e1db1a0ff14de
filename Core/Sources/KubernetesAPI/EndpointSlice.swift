/// Endpoints of one address family that share their ports.
public struct EndpointSlice: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .endpointSlices }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// `IPv4`, `IPv6` or `FQDN`.
    public var addressType: String
    /// The endpoints; older servers send null for none.
    public var endpoints: [Endpoint]?
    /// Ports of all these endpoints; absent means every port.
    public var ports: [EndpointPort]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        metadata: ObjectMeta = ObjectMeta(), addressType: String, endpoints: [Endpoint]? = nil,
        ports: [EndpointPort]? = nil
    ) {
        self.metadata = metadata
        self.addressType = addressType
        self.endpoints = endpoints
        self.ports = ports
    }
}

/// One endpoint of a slice.
public struct Endpoint: Codable, Sendable, Hashable {
    /// Addresses; consumers use the first.
    public var addresses: [String]
    /// Readiness.
    public var conditions: EndpointConditions?
    /// Name within the Service.
    public var hostname: String?
    /// Pod it belongs to.
    public var targetRef: ObjectReference?
    /// Node it is on.
    public var nodeName: String?
    /// Zone it is in.
    public var zone: String?
    /// Consumers it is meant for.
    public var hints: EndpointHints?
    /// Labels kept for objects of the beta version.
    public var deprecatedTopology: [String: String]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        addresses: [String] = [], conditions: EndpointConditions? = nil, hostname: String? = nil,
        targetRef: ObjectReference? = nil, nodeName: String? = nil, zone: String? = nil, hints: EndpointHints? = nil,
        deprecatedTopology: [String: String]? = nil
    ) {
        self.addresses = addresses
        self.conditions = conditions
        self.hostname = hostname
        self.targetRef = targetRef
        self.nodeName = nodeName
        self.zone = zone
        self.hints = hints
        self.deprecatedTopology = deprecatedTopology
    }
}

/// Readiness of an endpoint.
public struct EndpointConditions: Codable, Sendable, Hashable {
    /// May receive traffic; absent means true.
    public var ready: Bool?
    /// Passes its readiness probe; absent means `ready`.
    public var serving: Bool?
    /// Is being deleted; absent means false.
    public var terminating: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(ready: Bool? = nil, serving: Bool? = nil, terminating: Bool? = nil) {
        self.ready = ready
        self.serving = serving
        self.terminating = terminating
    }
}

/// Consumers that an endpoint is meant for.
public struct EndpointHints: Codable, Sendable, Hashable {
    /// Zones.
    public var forZones: [ForName]?
    /// Nodes.
    public var forNodes: [ForName]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(forZones: [ForName]? = nil, forNodes: [ForName]? = nil) {
        self.forZones = forZones
        self.forNodes = forNodes
    }
}

/// A zone or node by name.
public struct ForName: Codable, Sendable, Hashable {
    /// Name.
    public var name: String

    /// Creates a value.
    public init(name: String) {
        self.name = name
    }
}
