public import Addresses

/// One live request to a Service, from one place, over one family.
public struct Probe: Hashable, Sendable {
    /// What a request is addressed to.
    public enum Target: Hashable, Sendable {
        /// The Service's own address.
        case clusterIP(IPAddress)
        /// The Service's port on an address of a node.
        case nodePort(node: String, IPAddress)
        /// The Service's name, which must resolve to exactly these addresses.
        case name(String, resolvesTo: Set<IPAddress>)
    }

    /// How an answer is asked for.
    public enum Request: Hashable, Sendable {
        /// An HTTP GET of `/`; any complete response counts.
        case http
        /// A TCP connection that is accepted.
        case connection
        /// A DNS query of the family's record type for a name that must exist.
        case query(String)
    }

    /// Where a request is made.
    public enum VantagePoint: Hashable, Sendable {
        /// This machine, outside the cluster.
        case host
        /// A container of a pod on a node.
        case pod(PodLocation)
    }

    /// The Service as `namespace/name`.
    public let service: String
    /// The family that is used throughout.
    public let family: IPFamily
    /// What is called.
    public let target: Target
    /// The port that is called.
    public let port: UInt16
    /// How an answer is asked for.
    public let request: Request
    /// Where the request is made.
    public let from: VantagePoint

    package init(
        service: String, family: IPFamily, target: Target, port: UInt16, request: Request, from: VantagePoint
    ) {
        self.service = service
        self.family = family
        self.target = target
        self.port = port
        self.request = request
        self.from = from
    }
}

/// A container that commands can be run in.
public struct PodLocation: Hashable, Sendable {
    /// The pod's namespace.
    public let namespace: String
    /// The pod's name.
    public let pod: String
    /// The container's name.
    public let container: String
    /// The node that runs the pod.
    public let node: String

    /// Names a container of a pod on a node.
    public init(namespace: String, pod: String, container: String, node: String) {
        self.namespace = namespace
        self.pod = pod
        self.container = container
        self.node = node
    }
}

/// What became of a probe.
public struct ProbeResult: Hashable, Sendable {
    /// Whether and how it was answered.
    public enum Outcome: Hashable, Sendable {
        /// It was answered.
        case answered
        /// It was not, and why.
        case failed(String)
    }

    /// The probe.
    public let probe: Probe
    /// Whether it was answered.
    public let outcome: Outcome
    /// From the request to the whole answer; from a pod it includes starting the command that makes the request.
    public let latency: Duration

    package init(probe: Probe, outcome: Outcome, latency: Duration) {
        self.probe = probe
        self.outcome = outcome
        self.latency = latency
    }

    /// Whether the probe was answered.
    public var isAnswered: Bool { outcome == .answered }
}

extension Probe.VantagePoint: CustomStringConvertible {
    /// "host" or "pod on node-1".
    public var description: String {
        switch self {
        case .host: "host"
        case .pod(let location): "pod on \(location.node)"
        }
    }
}

extension Probe: CustomStringConvertible {
    /// "web/web IPv6 [fd00:10:96::17]:80 from pod on node-1".
    public var description: String {
        "\(service) \(family.name) \(targetText) from \(from)"
    }

    /// What is called, as a user would write it.
    public var targetText: String {
        switch target {
        case .clusterIP(let address): "\(address.uriHost):\(port)"
        case .nodePort(let node, let address): "\(node) \(address.uriHost):\(port)"
        case .name(let name, _): "\(name):\(port)"
        }
    }
}
