public import Addresses
public import DNSMessage

/// A server that is asked for names outside the cluster.
public struct Upstream: Hashable, Sendable {
    /// The address.
    public let address: IPAddress
    /// The port.
    public let port: UInt16
    /// The name that the server's certificate must bear; nil for a server that is asked without TLS.
    public let tlsName: String?

    /// Describes a server; the port is 53 or, with TLS, 853 unless given.
    public init(_ address: IPAddress, port: UInt16? = nil, tlsName: String? = nil) {
        self.address = address
        self.port = port ?? (tlsName == nil ? 53 : 853)
        self.tlsName = tlsName
    }
}

/// Servers for a domain and all below it.
public struct ForwardRule: Hashable, Sendable {
    /// The domain; the root for all others.
    public let domain: DNSName
    /// The servers.
    public let upstreams: [Upstream]

    /// Describes a rule.
    public init(domain: DNSName = .root, upstreams: [Upstream]) {
        self.domain = domain
        self.upstreams = upstreams
    }
}

/// What is known about a server from its answers.
struct UpstreamState {
    let upstream: Upstream
    /// The smoothed time to an answer, in milliseconds.
    var time: Int64 = 50
    /// How often in a row it has not answered.
    var failures = 0
    /// Until when others are asked first, in milliseconds.
    var awayUntil: Int64 = 0
    /// Whether it answers queries that have an OPT record.
    var takesExtendedDNS = true
    /// Whether it repeats the case of a name.
    var keepsCase = true
    /// The client's half of the cookie (RFC 7873), and what the server has given for it.
    let clientCookie: UInt64
    var serverCookie: [UInt8] = []

    /// The longest time that a server is passed over, in milliseconds.
    private static let maximumAway: Int64 = 30_000

    mutating func succeed(after elapsed: Int64) {
        time = (time * 7 + elapsed) / 8
        failures = 0
        awayUntil = 0
    }

    mutating func fail(now: Int64) {
        failures += 1
        guard failures >= 3 else { return }
        awayUntil = now + min(1000 << Int64(min(failures - 3, 5)), UpstreamState.maximumAway)
    }

    /// How long an answer of this server is waited for before another is asked as well, in milliseconds.
    var patience: Int64 { min(max(time * 2, 30), 400) }
}
