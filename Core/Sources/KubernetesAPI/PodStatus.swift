/// Observed state of a pod.
public struct PodStatus: Codable, Sendable, Hashable {
    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    public var phase: String?
    /// PodScheduled, Initialized, ContainersReady, Ready.
    public var conditions: [Condition]?
    /// A sentence for people.
    public var message: String?
    /// One CamelCase word.
    public var reason: String?
    /// First of `hostIPs`.
    public var hostIP: String?
    /// Addresses of the node, primary family first.
    public var hostIPs: [HostIP]?
    /// First of `podIPs`.
    public var podIP: String?
    /// Addresses of the pod, at most one of each family.
    public var podIPs: [PodIP]?
    /// RFC 3339 time at which the node accepted the pod.
    public var startTime: String?
    /// One for each init container.
    public var initContainerStatuses: [ContainerStatus]?
    /// One for each container.
    public var containerStatuses: [ContainerStatus]?
    /// One for each ephemeral container.
    public var ephemeralContainerStatuses: [ContainerStatus]?
    /// `Guaranteed`, `Burstable` or `BestEffort`.
    public var qosClass: String?
    /// Node on which room is being made.
    public var nominatedNodeName: String?
    /// Generation that the status speaks of.
    public var observedGeneration: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        phase: String? = nil, conditions: [Condition]? = nil, message: String? = nil, reason: String? = nil,
        hostIP: String? = nil, hostIPs: [HostIP]? = nil, podIP: String? = nil, podIPs: [PodIP]? = nil,
        startTime: String? = nil, initContainerStatuses: [ContainerStatus]? = nil,
        containerStatuses: [ContainerStatus]? = nil, ephemeralContainerStatuses: [ContainerStatus]? = nil,
        qosClass: String? = nil, nominatedNodeName: String? = nil,
        observedGeneration: Int? = nil
    ) {
        self.phase = phase
        self.conditions = conditions
        self.message = message
        self.reason = reason
        self.hostIP = hostIP
        self.hostIPs = hostIPs
        self.podIP = podIP
        self.podIPs = podIPs
        self.startTime = startTime
        self.initContainerStatuses = initContainerStatuses
        self.containerStatuses = containerStatuses
        self.ephemeralContainerStatuses = ephemeralContainerStatuses
        self.qosClass = qosClass
        self.nominatedNodeName = nominatedNodeName
        self.observedGeneration = observedGeneration
    }
}

extension PodStatus {
    /// The statuses of containers of every kind.
    public var allContainerStatuses: [ContainerStatus] {
        (containerStatuses ?? []) + (initContainerStatuses ?? []) + (ephemeralContainerStatuses ?? [])
    }
}

/// An address of a pod.
public struct PodIP: Codable, Sendable, Hashable {
    /// The address.
    public var ip: String

    /// Creates a value.
    public init(ip: String) {
        self.ip = ip
    }
}

/// An address of a pod's node.
public struct HostIP: Codable, Sendable, Hashable {
    /// The address.
    public var ip: String

    /// Creates a value.
    public init(ip: String) {
        self.ip = ip
    }
}

/// Observed state of a container.
public struct ContainerStatus: Codable, Sendable, Hashable {
    /// Name of the container.
    public var name: String
    /// What it does now.
    public var state: ContainerState?
    /// How it ended the last time.
    public var lastState: ContainerState?
    /// True when its readiness probe passes.
    public var ready: Bool
    /// True when its start-up probe has passed.
    public var started: Bool?
    /// Number of restarts.
    public var restartCount: Int
    /// Image as it was resolved.
    public var image: String
    /// Digest of the image.
    public var imageID: String
    /// `runtime://id`.
    public var containerID: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        name: String, state: ContainerState? = nil, lastState: ContainerState? = nil, ready: Bool = false,
        started: Bool? = nil, restartCount: Int = 0, image: String = "", imageID: String = "",
        containerID: String? = nil
    ) {
        self.name = name
        self.state = state
        self.lastState = lastState
        self.ready = ready
        self.started = started
        self.restartCount = restartCount
        self.image = image
        self.imageID = imageID
        self.containerID = containerID
    }
}

/// What a container does; exactly one member is set.
public struct ContainerState: Codable, Sendable, Hashable {
    /// It does not run yet.
    public var waiting: ContainerStateWaiting?
    /// It runs.
    public var running: ContainerStateRunning?
    /// It has ended.
    public var terminated: ContainerStateTerminated?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        waiting: ContainerStateWaiting? = nil, running: ContainerStateRunning? = nil,
        terminated: ContainerStateTerminated? = nil
    ) {
        self.waiting = waiting
        self.running = running
        self.terminated = terminated
    }
}

/// Why a container does not run yet.
public struct ContainerStateWaiting: Codable, Sendable, Hashable {
    /// One CamelCase word.
    public var reason: String?
    /// A sentence for people.
    public var message: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(reason: String? = nil, message: String? = nil) {
        self.reason = reason
        self.message = message
    }
}

/// A running container.
public struct ContainerStateRunning: Codable, Sendable, Hashable {
    /// RFC 3339 time of its start.
    public var startedAt: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(startedAt: String? = nil) {
        self.startedAt = startedAt
    }
}

/// How a container ended.
public struct ContainerStateTerminated: Codable, Sendable, Hashable {
    /// Exit code.
    public var exitCode: Int
    /// Signal that ended it.
    public var signal: Int?
    /// One CamelCase word.
    public var reason: String?
    /// A sentence for people.
    public var message: String?
    /// RFC 3339 time of its start.
    public var startedAt: String?
    /// RFC 3339 time of its end.
    public var finishedAt: String?
    /// `runtime://id`.
    public var containerID: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        exitCode: Int, signal: Int? = nil, reason: String? = nil, message: String? = nil, startedAt: String? = nil,
        finishedAt: String? = nil, containerID: String? = nil
    ) {
        self.exitCode = exitCode
        self.signal = signal
        self.reason = reason
        self.message = message
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.containerID = containerID
    }
}
