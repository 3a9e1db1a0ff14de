/// A periodic check of a container; exactly one handler is set.
public struct Probe: Codable, Sendable, Hashable {
    /// Passes when a command exits with 0.
    public var exec: ExecAction?
    /// Passes upon an HTTP status from 200 to 399.
    public var httpGet: HTTPGetAction?
    /// Passes when a connection opens.
    public var tcpSocket: TCPSocketAction?
    /// Passes when the gRPC health service says SERVING.
    public var grpc: GRPCAction?
    /// Seconds before the first check; 0.
    public var initialDelaySeconds: Int?
    /// Seconds that a check may take; 1.
    public var timeoutSeconds: Int?
    /// Seconds between checks; 10.
    public var periodSeconds: Int?
    /// Passes in a row that count; 1.
    public var successThreshold: Int?
    /// Failures in a row that count; 3.
    public var failureThreshold: Int?
    /// Grace period when the probe restarts the container.
    public var terminationGracePeriodSeconds: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        exec: ExecAction? = nil, httpGet: HTTPGetAction? = nil, tcpSocket: TCPSocketAction? = nil,
        grpc: GRPCAction? = nil, initialDelaySeconds: Int? = nil, timeoutSeconds: Int? = nil, periodSeconds: Int? = nil,
        successThreshold: Int? = nil, failureThreshold: Int? = nil, terminationGracePeriodSeconds: Int? = nil
    ) {
        self.exec = exec
        self.httpGet = httpGet
        self.tcpSocket = tcpSocket
        self.grpc = grpc
        self.initialDelaySeconds = initialDelaySeconds
        self.timeoutSeconds = timeoutSeconds
        self.periodSeconds = periodSeconds
        self.successThreshold = successThreshold
        self.failureThreshold = failureThreshold
        self.terminationGracePeriodSeconds = terminationGracePeriodSeconds
    }
}

/// A command run in the container.
public struct ExecAction: Codable, Sendable, Hashable {
    /// The command and its arguments.
    public var command: [String]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(command: [String]? = nil) {
        self.command = command
    }
}

/// An HTTP request.
public struct HTTPGetAction: Codable, Sendable, Hashable {
    /// Path; `/`.
    public var path: String?
    /// Number or name of a container port.
    public var port: IntOrString
    /// Host; the pod's address.
    public var host: String?
    /// `HTTP` or `HTTPS`.
    public var scheme: String?
    /// Further headers.
    public var httpHeaders: [HTTPHeader]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        path: String? = nil, port: IntOrString, host: String? = nil, scheme: String? = nil,
        httpHeaders: [HTTPHeader]? = nil
    ) {
        self.path = path
        self.port = port
        self.host = host
        self.scheme = scheme
        self.httpHeaders = httpHeaders
    }
}

/// A header of a probe's request.
public struct HTTPHeader: Codable, Sendable, Hashable {
    /// Name.
    public var name: String
    /// Value.
    public var value: String

    /// Creates a value.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// A connection to a port.
public struct TCPSocketAction: Codable, Sendable, Hashable {
    /// Number or name of a container port.
    public var port: IntOrString
    /// Host; the pod's address.
    public var host: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(port: IntOrString, host: String? = nil) {
        self.port = port
        self.host = host
    }
}

/// A gRPC health check.
public struct GRPCAction: Codable, Sendable, Hashable {
    /// Port.
    public var port: Int
    /// Name of the service asked about.
    public var service: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(port: Int, service: String? = nil) {
        self.port = port
        self.service = service
    }
}

/// Hooks of a container.
public struct Lifecycle: Codable, Sendable, Hashable {
    /// Runs after the start.
    public var postStart: LifecycleHandler?
    /// Runs before the end.
    public var preStop: LifecycleHandler?

    /// Creates a value; fields left nil are absent on the wire.
    public init(postStart: LifecycleHandler? = nil, preStop: LifecycleHandler? = nil) {
        self.postStart = postStart
        self.preStop = preStop
    }
}

/// A hook; exactly one member is set.
public struct LifecycleHandler: Codable, Sendable, Hashable {
    /// A command in the container.
    public var exec: ExecAction?
    /// An HTTP request.
    public var httpGet: HTTPGetAction?
    /// Kept for compatibility; never run.
    public var tcpSocket: TCPSocketAction?
    /// A pause.
    public var sleep: SleepAction?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        exec: ExecAction? = nil, httpGet: HTTPGetAction? = nil, tcpSocket: TCPSocketAction? = nil,
        sleep: SleepAction? = nil
    ) {
        self.exec = exec
        self.httpGet = httpGet
        self.tcpSocket = tcpSocket
        self.sleep = sleep
    }
}

/// A pause.
public struct SleepAction: Codable, Sendable, Hashable {
    /// Seconds.
    public var seconds: Int

    /// Creates a value.
    public init(seconds: Int) {
        self.seconds = seconds
    }
}
