/// How much of the server one client, and all of them together, may take.
public struct RequestLimits: Sendable {
    /// Reading requests that are worked on at the same time; watches and other long ones do not count.
    public var maximumRequestsInFlight = 400
    /// Writing requests that are worked on at the same time.
    public var maximumMutatingRequestsInFlight = 200
    /// Requests a second from one address, or from one IPv6 network of 64 bits; 0 means any number.
    public var maximumRequestRate = 0
    /// Connections that are open at the same time; further ones wait in the kernel.
    public var maximumConnections = 10_000
    /// Seconds from the first byte of a request to the first byte of its answer.
    public var requestTimeout = 60
    /// Seconds that a client may leave a part of an answer unread.
    public var stallTimeout = 60
    /// Seconds that a connection may stay open without a request.
    public var idleTimeout = 90
    /// Bytes of all header fields of a request.
    public var maximumHeaderBytes = 64 << 10
    /// Header fields of a request.
    public var maximumHeaderFields = 128

    /// The defaults; those of the requests in flight are Kubernetes'.
    public init() {}
}
