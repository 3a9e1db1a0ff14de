public import DNSResolution

/// How a server answers.
public struct DNSServerConfiguration: Sendable {
    /// The port to answer on.
    public var port: UInt16 = 53
    /// The port on which other nodes ask, for whose pods this server stands in.
    public var peerPort: UInt16 = 10053
    /// Whether each socket for datagrams sends one without content to itself every `DNSServer.heartbeatInterval` while the
    /// server can answer: the kernel's rules see by it that it can.
    public var sendsHeartbeats = false
    /// What it does for whom.
    public var resolver = ResolverOptions()
    /// How many answers of other servers are kept.
    public var cacheCapacity = 16384
    /// The memory for these, about, in bytes.
    public var cacheBytes = 16 << 20

    /// Makes the usual configuration.
    public init() {}
}

/// Sends a message over TLS, and gives back the answer; nil if there is none.
public protocol SecureTransport: Sendable {
    /// Sends a message; `completion` is called once, on any thread.
    func send(_ message: [UInt8], to upstream: Upstream, completion: @escaping @Sendable ([UInt8]?) -> Void)
}
