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
    /// A TCP SYN from outside that no mapping permits, and that waits for the client to open the connection as well.
    public var tcpIncomingSYN: UInt32 = 6
    /// A public port of UDP, or identifier of echo requests, before another client gets it (RFC 6888, REQ-8); 0 gives it out at once.
    public var portRest: UInt32 = 120

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

/// A public port that leads to a port of a client whether or not the client has opened it (RFC 6146: a static entry of
/// the binding information base).
public struct PortForward: Hashable, Sendable {
    /// The protocol; an identifier of echo requests is no port that could be forwarded.
    public var kind: SessionKind
    /// The public address.
    public var publicAddress: IPv4Address
    /// The public port.
    public var publicPort: UInt16
    /// The client's address.
    public var client: IPv6Address
    /// The client's port.
    public var clientPort: UInt16

    /// Makes a forward.
    public init(
        kind: SessionKind, publicAddress: IPv4Address, publicPort: UInt16, client: IPv6Address, clientPort: UInt16
    ) {
        self.kind = kind
        self.publicAddress = publicAddress
        self.publicPort = publicPort
        self.client = client
        self.clientPort = clientPort
    }
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
    /// Whether other translators hold other ports of the same public addresses: what clients send to those addresses is
    /// then handed over.
    public var sharesPool: Bool
    /// The identifiers of echo requests that this translator gives out.
    public var identifiers: ClosedRange<UInt16>
    /// The public ports that lead to clients; one that is not in the pool, or twice, is left out.
    public var forwards: [PortForward]
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
    /// The public ports that may rest between two clients; with more of them the oldest ends its rest early.
    public var maximumRestingPorts: Int
    /// The leading bits of an address that name a client: 128 for each host, 64 for each link.
    public var clientPrefixLength: Int
    /// The fragments that may wait for the first one of their datagram.
    public var maximumHeldFragments: Int
    /// The TCP SYNs from outside that may wait for the client to open the connection as well; with 0 they are answered
    /// at once.
    public var maximumHeldSYNs: Int
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
        identifiers: ClosedRange<UInt16> = 0...65535, sharesPool: Bool = false,
        forwards: [PortForward] = [], filtering: SessionFiltering = .endpointIndependent,
        timeouts: SessionTimeouts = SessionTimeouts(),
        maximumSessions: Int = 1 << 20, mappingsPerClient: Int = 4096, sessionsPerClient: Int = 16384,
        maximumRestingPorts: Int = 32768, clientPrefixLength: Int = 128, maximumHeldFragments: Int = 64,
        maximumHeldSYNs: Int = 64,
        deniedDestinations: [IPPrefix] = [], embedsNonGlobal: Bool = false, secret: UInt64,
        options: TranslationOptions = TranslationOptions()
    ) {
        self.prefix = prefix
        self.pool = pool
        self.ports = ports
        self.identifiers = identifiers
        self.sharesPool = sharesPool
        self.forwards = forwards
        self.filtering = filtering
        self.timeouts = timeouts
        self.maximumSessions = maximumSessions
        self.mappingsPerClient = mappingsPerClient
        self.sessionsPerClient = sessionsPerClient
        self.maximumRestingPorts = maximumRestingPorts
        self.clientPrefixLength = clientPrefixLength
        self.maximumHeldFragments = maximumHeldFragments
        self.maximumHeldSYNs = maximumHeldSYNs
        self.deniedDestinations = deniedDestinations
        self.embedsNonGlobal = embedsNonGlobal
        self.secret = secret
        self.options = options
    }
}
