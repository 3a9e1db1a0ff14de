/// Desired state of a pod.
public struct PodSpec: Codable, Sendable, Hashable {
    /// Containers that run together.
    public var containers: [Container]
    /// Containers that run before, one after the other.
    public var initContainers: [Container]?
    /// Containers that were added to the running pod to look into it.
    public var ephemeralContainers: [EphemeralContainer]?
    /// Volumes that containers may mount.
    public var volumes: [Volume]?
    /// `Always`, `OnFailure` or `Never`.
    public var restartPolicy: String?
    /// Seconds between the polite and the forced end.
    public var terminationGracePeriodSeconds: Int?
    /// Seconds that the pod may live.
    public var activeDeadlineSeconds: Int?
    /// `ClusterFirst`, `ClusterFirstWithHostNet`, `Default` or `None`.
    public var dnsPolicy: String?
    /// Resolver settings merged into those of the policy.
    public var dnsConfig: PodDNSConfig?
    /// Labels that the node must have.
    public var nodeSelector: [String: String]?
    /// Node that the pod is bound to.
    public var nodeName: String?
    /// Account the pod acts as.
    public var serviceAccountName: String?
    /// False keeps the token out of the containers.
    public var automountServiceAccountToken: Bool?
    /// True shares the node's network.
    public var hostNetwork: Bool?
    /// True shares the node's processes.
    public var hostPID: Bool?
    /// True shares the node's IPC objects.
    public var hostIPC: Bool?
    /// True lets containers see one another's processes.
    public var shareProcessNamespace: Bool?
    /// Identity and privileges for all containers.
    public var securityContext: PodSecurityContext?
    /// Secrets with registry credentials.
    public var imagePullSecrets: [LocalObjectReference]?
    /// Host name instead of the pod's name.
    public var hostname: String?
    /// Headless Service that gives the pod its domain.
    public var subdomain: String?
    /// True makes the host name fully qualified.
    public var setHostnameAsFQDN: Bool?
    /// Rules about the nodes and neighbours.
    public var affinity: Affinity?
    /// Scheduler that shall bind the pod.
    public var schedulerName: String?
    /// Taints that the pod bears.
    public var tolerations: [Toleration]?
    /// Lines for `/etc/hosts`.
    public var hostAliases: [HostAlias]?
    /// Name of the priority.
    public var priorityClassName: String?
    /// Larger is more important.
    public var priority: Int?
    /// Further conditions that readiness needs.
    public var readinessGates: [PodReadinessGate]?
    /// Runtime handler.
    public var runtimeClassName: String?
    /// True puts Services into the environment.
    public var enableServiceLinks: Bool?
    /// Whether the pod may displace others.
    public var preemptionPolicy: String?
    /// Resources of the sandbox itself.
    public var overhead: [String: Quantity]?
    /// How pods spread over the nodes.
    public var topologySpreadConstraints: [TopologySpreadConstraint]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        containers: [Container] = [], initContainers: [Container]? = nil,
        ephemeralContainers: [EphemeralContainer]? = nil, volumes: [Volume]? = nil,
        restartPolicy: String? = nil, terminationGracePeriodSeconds: Int? = nil, activeDeadlineSeconds: Int? = nil,
        dnsPolicy: String? = nil, dnsConfig: PodDNSConfig? = nil, nodeSelector: [String: String]? = nil,
        nodeName: String? = nil, serviceAccountName: String? = nil, automountServiceAccountToken: Bool? = nil,
        hostNetwork: Bool? = nil, hostPID: Bool? = nil, hostIPC: Bool? = nil, shareProcessNamespace: Bool? = nil,
        securityContext: PodSecurityContext? = nil, imagePullSecrets: [LocalObjectReference]? = nil,
        hostname: String? = nil, subdomain: String? = nil, setHostnameAsFQDN: Bool? = nil, affinity: Affinity? = nil,
        schedulerName: String? = nil, tolerations: [Toleration]? = nil, hostAliases: [HostAlias]? = nil,
        priorityClassName: String? = nil, priority: Int? = nil, readinessGates: [PodReadinessGate]? = nil,
        runtimeClassName: String? = nil, enableServiceLinks: Bool? = nil, preemptionPolicy: String? = nil,
        overhead: [String: Quantity]? = nil, topologySpreadConstraints: [TopologySpreadConstraint]? = nil
    ) {
        self.containers = containers
        self.initContainers = initContainers
        self.ephemeralContainers = ephemeralContainers
        self.volumes = volumes
        self.restartPolicy = restartPolicy
        self.terminationGracePeriodSeconds = terminationGracePeriodSeconds
        self.activeDeadlineSeconds = activeDeadlineSeconds
        self.dnsPolicy = dnsPolicy
        self.dnsConfig = dnsConfig
        self.nodeSelector = nodeSelector
        self.nodeName = nodeName
        self.serviceAccountName = serviceAccountName
        self.automountServiceAccountToken = automountServiceAccountToken
        self.hostNetwork = hostNetwork
        self.hostPID = hostPID
        self.hostIPC = hostIPC
        self.shareProcessNamespace = shareProcessNamespace
        self.securityContext = securityContext
        self.imagePullSecrets = imagePullSecrets
        self.hostname = hostname
        self.subdomain = subdomain
        self.setHostnameAsFQDN = setHostnameAsFQDN
        self.affinity = affinity
        self.schedulerName = schedulerName
        self.tolerations = tolerations
        self.hostAliases = hostAliases
        self.priorityClassName = priorityClassName
        self.priority = priority
        self.readinessGates = readinessGates
        self.runtimeClassName = runtimeClassName
        self.enableServiceLinks = enableServiceLinks
        self.preemptionPolicy = preemptionPolicy
        self.overhead = overhead
        self.topologySpreadConstraints = topologySpreadConstraints
    }
}

/// A name in the same namespace.
public struct LocalObjectReference: Codable, Sendable, Hashable {
    /// The name.
    public var name: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(name: String? = nil) {
        self.name = name
    }
}

/// Resolver settings of a pod.
public struct PodDNSConfig: Codable, Sendable, Hashable {
    /// Addresses of resolvers.
    public var nameservers: [String]?
    /// Search domains.
    public var searches: [String]?
    /// Resolver options.
    public var options: [PodDNSConfigOption]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(nameservers: [String]? = nil, searches: [String]? = nil, options: [PodDNSConfigOption]? = nil) {
        self.nameservers = nameservers
        self.searches = searches
        self.options = options
    }
}

/// One resolver option.
public struct PodDNSConfigOption: Codable, Sendable, Hashable {
    /// Name, such as `ndots`.
    public var name: String?
    /// Value, if it takes one.
    public var value: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(name: String? = nil, value: String? = nil) {
        self.name = name
        self.value = value
    }
}

/// A line for `/etc/hosts`.
public struct HostAlias: Codable, Sendable, Hashable {
    /// Address.
    public var ip: String
    /// Names of that address.
    public var hostnames: [String]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(ip: String, hostnames: [String]? = nil) {
        self.ip = ip
        self.hostnames = hostnames
    }
}

/// A condition that readiness needs.
public struct PodReadinessGate: Codable, Sendable, Hashable {
    /// Type of the condition.
    public var conditionType: String

    /// Creates a value.
    public init(conditionType: String) {
        self.conditionType = conditionType
    }
}

/// Identity and privileges of a pod's containers.
public struct PodSecurityContext: Codable, Sendable, Hashable {
    /// User id.
    public var runAsUser: Int?
    /// Group id.
    public var runAsGroup: Int?
    /// True refuses to run as root.
    public var runAsNonRoot: Bool?
    /// Group that owns the volumes.
    public var fsGroup: Int?
    /// Further groups.
    public var supplementalGroups: [Int]?
    /// Kernel parameters of the pod's namespaces.
    public var sysctls: [Sysctl]?
    /// System call filter.
    public var seccompProfile: SeccompProfile?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        runAsUser: Int? = nil, runAsGroup: Int? = nil, runAsNonRoot: Bool? = nil, fsGroup: Int? = nil,
        supplementalGroups: [Int]? = nil, sysctls: [Sysctl]? = nil, seccompProfile: SeccompProfile? = nil
    ) {
        self.runAsUser = runAsUser
        self.runAsGroup = runAsGroup
        self.runAsNonRoot = runAsNonRoot
        self.fsGroup = fsGroup
        self.supplementalGroups = supplementalGroups
        self.sysctls = sysctls
        self.seccompProfile = seccompProfile
    }
}

/// A kernel parameter.
public struct Sysctl: Codable, Sendable, Hashable {
    /// Dotted name.
    public var name: String
    /// Value.
    public var value: String

    /// Creates a value.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A system call filter.
public struct SeccompProfile: Codable, Sendable, Hashable {
    /// `RuntimeDefault`, `Unconfined` or `Localhost`.
    public var type: String
    /// File of a `Localhost` profile.
    public var localhostProfile: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(type: String, localhostProfile: String? = nil) {
        self.type = type
        self.localhostProfile = localhostProfile
    }
}
