/// A container of a pod.
public struct Container: Codable, Sendable, Hashable {
    /// Name, unique in the pod.
    public var name: String
    /// Image reference.
    public var image: String?
    /// Entry point instead of the image's.
    public var command: [String]?
    /// Arguments instead of the image's.
    public var args: [String]?
    /// Working directory instead of the image's.
    public var workingDir: String?
    /// Ports that the container serves.
    public var ports: [ContainerPort]?
    /// Objects whose every key becomes a variable.
    public var envFrom: [EnvFromSource]?
    /// Environment variables.
    public var env: [EnvVar]?
    /// Requested and maximal resources.
    public var resources: ResourceRequirements?
    /// `Always` makes an init container a sidecar.
    public var restartPolicy: String?
    /// Where volumes appear.
    public var volumeMounts: [VolumeMount]?
    /// Failing restarts the container.
    public var livenessProbe: Probe?
    /// Failing takes the pod out of Services.
    public var readinessProbe: Probe?
    /// Holds back the other probes until it passes.
    public var startupProbe: Probe?
    /// Hooks at start and end.
    public var lifecycle: Lifecycle?
    /// File whose content becomes the termination message.
    public var terminationMessagePath: String?
    /// `File` or `FallbackToLogsOnError`.
    public var terminationMessagePolicy: String?
    /// `Always`, `IfNotPresent` or `Never`.
    public var imagePullPolicy: String?
    /// Identity and privileges.
    public var securityContext: SecurityContext?
    /// True keeps standard input open.
    public var stdin: Bool?
    /// True closes standard input after the first client.
    public var stdinOnce: Bool?
    /// True gives the container a terminal.
    public var tty: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        name: String, image: String? = nil, command: [String]? = nil, args: [String]? = nil, workingDir: String? = nil,
        ports: [ContainerPort]? = nil, envFrom: [EnvFromSource]? = nil, env: [EnvVar]? = nil,
        resources: ResourceRequirements? = nil, restartPolicy: String? = nil, volumeMounts: [VolumeMount]? = nil,
        livenessProbe: Probe? = nil, readinessProbe: Probe? = nil, startupProbe: Probe? = nil,
        lifecycle: Lifecycle? = nil, terminationMessagePath: String? = nil, terminationMessagePolicy: String? = nil,
        imagePullPolicy: String? = nil, securityContext: SecurityContext? = nil, stdin: Bool? = nil,
        stdinOnce: Bool? = nil, tty: Bool? = nil
    ) {
        self.name = name
        self.image = image
        self.command = command
        self.args = args
        self.workingDir = workingDir
        self.ports = ports
        self.envFrom = envFrom
        self.env = env
        self.resources = resources
        self.restartPolicy = restartPolicy
        self.volumeMounts = volumeMounts
        self.livenessProbe = livenessProbe
        self.readinessProbe = readinessProbe
        self.startupProbe = startupProbe
        self.lifecycle = lifecycle
        self.terminationMessagePath = terminationMessagePath
        self.terminationMessagePolicy = terminationMessagePolicy
        self.imagePullPolicy = imagePullPolicy
        self.securityContext = securityContext
        self.stdin = stdin
        self.stdinOnce = stdinOnce
        self.tty = tty
    }
}

/// A port that a container serves.
public struct ContainerPort: Codable, Sendable, Hashable {
    /// Name that Services may refer to.
    public var name: String?
    /// Port on the node that leads here.
    public var hostPort: Int?
    /// Port in the pod.
    public var containerPort: Int
    /// `TCP` (the default), `UDP` or `SCTP`.
    public var `protocol`: String?
    /// Address of the node for `hostPort`.
    public var hostIP: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        name: String? = nil, hostPort: Int? = nil, containerPort: Int, `protocol`: String? = nil, hostIP: String? = nil
    ) {
        self.name = name
        self.hostPort = hostPort
        self.containerPort = containerPort
        self.protocol = `protocol`
        self.hostIP = hostIP
    }
}

/// Requested and maximal resources.
public struct ResourceRequirements: Codable, Sendable, Hashable {
    /// What the container may use at most.
    public var limits: [String: Quantity]?
    /// What the scheduler sets aside.
    public var requests: [String: Quantity]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(limits: [String: Quantity]? = nil, requests: [String: Quantity]? = nil) {
        self.limits = limits
        self.requests = requests
    }
}

/// Where a volume appears in a container.
public struct VolumeMount: Codable, Sendable, Hashable {
    /// Name of the volume.
    public var name: String
    /// Absolute path in the container.
    public var mountPath: String
    /// Path within the volume.
    public var subPath: String?
    /// Path within the volume, with `$(VARIABLE)`s.
    public var subPathExpr: String?
    /// True forbids writing.
    public var readOnly: Bool?
    /// `None`, `HostToContainer` or `Bidirectional`.
    public var mountPropagation: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        name: String, mountPath: String, subPath: String? = nil, subPathExpr: String? = nil, readOnly: Bool? = nil,
        mountPropagation: String? = nil
    ) {
        self.name = name
        self.mountPath = mountPath
        self.subPath = subPath
        self.subPathExpr = subPathExpr
        self.readOnly = readOnly
        self.mountPropagation = mountPropagation
    }
}

/// Identity and privileges of a container.
public struct SecurityContext: Codable, Sendable, Hashable {
    /// User id.
    public var runAsUser: Int?
    /// Group id.
    public var runAsGroup: Int?
    /// True refuses to run as root.
    public var runAsNonRoot: Bool?
    /// True gives all privileges of the node.
    public var privileged: Bool?
    /// True makes the root file system read-only.
    public var readOnlyRootFilesystem: Bool?
    /// False sets no_new_privs.
    public var allowPrivilegeEscalation: Bool?
    /// Capabilities to add and drop.
    public var capabilities: Capabilities?
    /// System call filter.
    public var seccompProfile: SeccompProfile?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        runAsUser: Int? = nil, runAsGroup: Int? = nil, runAsNonRoot: Bool? = nil, privileged: Bool? = nil,
        readOnlyRootFilesystem: Bool? = nil, allowPrivilegeEscalation: Bool? = nil, capabilities: Capabilities? = nil,
        seccompProfile: SeccompProfile? = nil
    ) {
        self.runAsUser = runAsUser
        self.runAsGroup = runAsGroup
        self.runAsNonRoot = runAsNonRoot
        self.privileged = privileged
        self.readOnlyRootFilesystem = readOnlyRootFilesystem
        self.allowPrivilegeEscalation = allowPrivilegeEscalation
        self.capabilities = capabilities
        self.seccompProfile = seccompProfile
    }
}

/// Capabilities to add and drop.
public struct Capabilities: Codable, Sendable, Hashable {
    /// Names to add, or `ALL`.
    public var add: [String]?
    /// Names to drop, or `ALL`.
    public var drop: [String]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(add: [String]? = nil, drop: [String]? = nil) {
        self.add = add
        self.drop = drop
    }
}
