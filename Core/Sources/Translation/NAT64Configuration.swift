public import Addresses

/// The protocols that have ports, or an identifier, that sessions are told apart by.
@frozen
public enum SessionKind: UInt8, Hashable, Sendable, CaseIterable {
    /// TCP.
    case tcp
    /// UDP.
    case udp
    /// ICMP echo requests and replies, by their identifier.
    case icmp
}

/// How long sessions last without packets, in seconds (RFC 6146 §4).
public struct SessionTimeouts: Hashable, Sendable {
    /// A UDP session; at least 120.
    public var udp: UInt32 = 300
    /// A TCP session that both sides have opened.
    public var tcpEstablished: UInt32 = 7440
    /// A TCP session that begins or ends.
    public var tcpTransitory: UInt32 = 240
    /// An ICMP session.
    public var icmp: UInt32 = 60
    /// Fragments that wait for the first one of their datagram, and what is known of a datagram.
    public var fragment: UInt32 = 2

    /// Makes the RFC's time-outs.
    public init() {}
}

/// Which IPv4 hosts may send to a port that a client has opened (RFC 4787 §5).
@frozen
public enum SessionFiltering: Hashable, Sendable {
    /// All.
    case endpointIndependent
    /// Those whose address the client has sent to.
    case addressDependent
}

/// What a stateful translator is made from.
public struct NAT64Configuration: Sendable {
    /// The prefix that IPv4 destinations are embedded in.
    public var prefix: TranslationPrefix
    /// The public addresses.
    public var pool: [IPv4Address]
    /// The ports of each public address that this translator gives out; translators of several threads share addresses
    /// by parts of the range.
    public var ports: ClosedRange<UInt16>
    /// Which IPv4 hosts may send to an open port.
    public var filtering: SessionFiltering
    /// The time-outs.
    public var timeouts: SessionTimeouts
    /// The sessions that there may be at once.
    public var maximumSessions: Int
    /// The ports that a client may hold at once (RFC 6888, REQ-4).
    public var mappingsPerClient: Int
    /// The sessions that a client may hold at once.
    public var sessionsPerClient: Int
    /// The leading bits of an address that name a client: 128 for each host, 64 for each link.
    public var clientPrefixLength: Int
    /// The fragments that may wait for the first one of their datagram.
    public var maximumHeldFragments: Int
    /// IPv4 networks that are not translated to, whoever asks.
    public var deniedDestinations: [IPPrefix]
    /// Whether the well-known prefix may stand for addresses that are not global.
    public var embedsNonGlobal: Bool
    /// A secret from which hashes and ports are drawn.
    public var secret: UInt64
    /// The choices of stateless translation.
    public var options: TranslationOptions

    /// Makes a configuration with the values that the RFCs recommend.
    public init(
        prefix: TranslationPrefix = .wellKnown, pool: [IPv4Address], ports: ClosedRange<UInt16> = 1024...65535,
        filtering: SessionFiltering = .endpointIndependent, timeouts: SessionTimeouts = SessionTimeouts(),
        maximumSessions: Int = 1 << 20, mappingsPerClient: Int = 4096, sessionsPerClient: Int = 16384,
        clientPrefixLength: Int = 128, maximumHeldFragments: Int = 64, deniedDestinations: [IPPrefix] = [],
        embedsNonGlobal: Bool = false, secret: UInt64, options: TranslationOptions = TranslationOptions()
    ) {
        self.prefix = prefix
        self.pool = pool
        self.ports = ports
        self.filtering = filtering
        self.timeouts = timeouts
        self.maximumSessions = maximumSessions
        self.mappingsPerClient = mappingsPerClient
        self.sessionsPerClient = sessionsPerClient
        self.clientPrefixLength = clientPrefixLength
        self.maximumHeldFragments = maximumHeldFragments
        self.deniedDestinations = deniedDestinations
        self.embedsNonGlobal = embedsNonGlobal
        self.secret = secret
        self.options = options
    }
}
