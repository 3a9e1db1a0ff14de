/// A name and virtual addresses for a set of endpoints.
public struct Service: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .services }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Desired state.
    public var spec: ServiceSpec?
    /// Observed state.
    public var status: ServiceStatus?

    /// Creates a value; fields left nil are absent on the wire.
    public init(metadata: ObjectMeta = ObjectMeta(), spec: ServiceSpec? = nil, status: ServiceStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// Desired state of a Service.
public struct ServiceSpec: Codable, Sendable, Hashable {
    /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
    public var type: String?
    /// Labels of the pods behind it.
    public var selector: [String: String]?
    /// Ports that it serves.
    public var ports: [ServicePort]?
    /// First of `clusterIPs`, `None` for headless.
    public var clusterIP: String?
    /// Virtual addresses, in the order of `ipFamilies`.
    public var clusterIPs: [String]?
    /// `IPv4`, `IPv6`; primary first.
    public var ipFamilies: [String]?
    /// `SingleStack`, `PreferDualStack` or `RequireDualStack`.
    public var ipFamilyPolicy: String?
    /// Further addresses that the nodes accept.
    public var externalIPs: [String]?
    /// Name that an `ExternalName` Service stands for.
    public var externalName: String?
    /// `Cluster` or `Local`.
    public var externalTrafficPolicy: String?
    /// `Cluster` or `Local`.
    public var internalTrafficPolicy: String?
    /// Preference among endpoints.
    public var trafficDistribution: String?
    /// `None` or `ClientIP`.
    public var sessionAffinity: String?
    /// Details of the affinity.
    public var sessionAffinityConfig: SessionAffinityConfig?
    /// Requested address of the load balancer.
    public var loadBalancerIP: String?
    /// Clients that the load balancer admits.
    public var loadBalancerSourceRanges: [String]?
    /// Implementation of the load balancer.
    public var loadBalancerClass: String?
    /// False does without node ports.
    public var allocateLoadBalancerNodePorts: Bool?
    /// Port of the health check for `Local`.
    public var healthCheckNodePort: Int?
    /// True publishes endpoints that are not ready.
    public var publishNotReadyAddresses: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        type: String? = nil, selector: [String: String]? = nil, ports: [ServicePort]? = nil, clusterIP: String? = nil,
        clusterIPs: [String]? = nil, ipFamilies: [String]? = nil, ipFamilyPolicy: String? = nil,
        externalIPs: [String]? = nil, externalName: String? = nil, externalTrafficPolicy: String? = nil,
        internalTrafficPolicy: String? = nil, trafficDistribution: String? = nil, sessionAffinity: String? = nil,
        sessionAffinityConfig: SessionAffinityConfig? = nil, loadBalancerIP: String? = nil,
        loadBalancerSourceRanges: [String]? = nil, loadBalancerClass: String? = nil,
        allocateLoadBalancerNodePorts: Bool? = nil, healthCheckNodePort: Int? = nil,
        publishNotReadyAddresses: Bool? = nil
    ) {
        self.type = type
        self.selector = selector
        self.ports = ports
        self.clusterIP = clusterIP
        self.clusterIPs = clusterIPs
        self.ipFamilies = ipFamilies
        self.ipFamilyPolicy = ipFamilyPolicy
        self.externalIPs = externalIPs
        self.externalName = externalName
        self.externalTrafficPolicy = externalTrafficPolicy
        self.internalTrafficPolicy = internalTrafficPolicy
        self.trafficDistribution = trafficDistribution
        self.sessionAffinity = sessionAffinity
        self.sessionAffinityConfig = sessionAffinityConfig
        self.loadBalancerIP = loadBalancerIP
        self.loadBalancerSourceRanges = loadBalancerSourceRanges
        self.loadBalancerClass = loadBalancerClass
        self.allocateLoadBalancerNodePorts = allocateLoadBalancerNodePorts
        self.healthCheckNodePort = healthCheckNodePort
        self.publishNotReadyAddresses = publishNotReadyAddresses
    }
}

/// A port of a Service.
public struct ServicePort: Codable, Sendable, Hashable {
    /// Name, required when there are several.
    public var name: String?
    /// `TCP` (the default), `UDP` or `SCTP`.
    public var `protocol`: String?
    /// Application protocol.
    public var appProtocol: String?
    /// Port on the virtual addresses.
    public var port: Int
    /// Number or name of the pods' port; absent means `port`.
    public var targetPort: IntOrString?
    /// Port on every node.
    public var nodePort: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        name: String? = nil, `protocol`: String? = nil, appProtocol: String? = nil, port: Int,
        targetPort: IntOrString? = nil, nodePort: Int? = nil
    ) {
        self.name = name
        self.protocol = `protocol`
        self.appProtocol = appProtocol
        self.port = port
        self.targetPort = targetPort
        self.nodePort = nodePort
    }
}

/// Details of session affinity.
public struct SessionAffinityConfig: Codable, Sendable, Hashable {
    /// Affinity by client address.
    public var clientIP: ClientIPConfig?

    /// Creates a value; fields left nil are absent on the wire.
    public init(clientIP: ClientIPConfig? = nil) {
        self.clientIP = clientIP
    }
}

/// Affinity by client address.
public struct ClientIPConfig: Codable, Sendable, Hashable {
    /// Seconds that affinity lasts; 10800.
    public var timeoutSeconds: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(timeoutSeconds: Int? = nil) {
        self.timeoutSeconds = timeoutSeconds
    }
}

/// Observed state of a Service.
public struct ServiceStatus: Codable, Sendable, Hashable {
    /// Addresses of the load balancer.
    public var loadBalancer: LoadBalancerStatus?
    /// Conditions.
    public var conditions: [Condition]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(loadBalancer: LoadBalancerStatus? = nil, conditions: [Condition]? = nil) {
        self.loadBalancer = loadBalancer
        self.conditions = conditions
    }
}

/// Addresses of a load balancer.
public struct LoadBalancerStatus: Codable, Sendable, Hashable {
    /// Where traffic may enter.
    public var ingress: [LoadBalancerIngress]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(ingress: [LoadBalancerIngress]? = nil) {
        self.ingress = ingress
    }
}

/// A point at which traffic enters.
public struct LoadBalancerIngress: Codable, Sendable, Hashable {
    /// Address.
    public var ip: String?
    /// Name.
    public var hostname: String?
    /// `VIP` or `Proxy`.
    public var ipMode: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(ip: String? = nil, hostname: String? = nil, ipMode: String? = nil) {
        self.ip = ip
        self.hostname = hostname
        self.ipMode = ipMode
    }
}
