/// Why a packet was not translated.
@frozen
public enum DropReason: UInt8, Error, Hashable, Sendable, CaseIterable {
    /// A version, length or header is impossible, or the packet is cut short.
    case malformed
    /// The checksum of the IPv4 header, or of an ICMP error, is wrong.
    case badChecksum
    /// The source may not send: multicast, unspecified, loopback, broadcast, link-local, or an address that the well-known
    /// prefix may not stand for.
    case illegalSource
    /// The destination is multicast, loopback, broadcast, link-local or unspecified.
    case illegalDestination
    /// The time to live or the hop limit has run out.
    case hopLimit
    /// IPv4 options or an IPv6 routing header ask for a route by way of hosts not visited yet.
    case sourceRoute
    /// No mapping or prefix covers the source.
    case unmappedSource
    /// No mapping or prefix covers the destination.
    case unmappedDestination
    /// The well-known prefix would stand for an address that is not global (RFC 6052 §3.1), or policy forbids the
    /// destination.
    case forbiddenDestination
    /// The packet is longer than the next link takes, and may not be fragmented.
    case tooBig
    /// More IPv6 extension headers than anyone has a use for.
    case tooManyHeaders
    /// An extension header follows a fragment header.
    case headerBehindFragment
    /// ICMP in fragments, whose checksum cannot be carried over.
    case fragmentedICMP
    /// UDP without a checksum, in fragments or where policy forbids to make one.
    case zeroChecksum
    /// A protocol that has no counterpart: IGMP, the other family's ICMP, or one without ports in NAT64.
    case unsupportedProtocol
    /// An ICMP type or code that has no counterpart.
    case unsupportedICMP
    /// An ICMP error about an ICMP error.
    case errorAboutError
    /// The packet inside an ICMP error cannot be translated.
    case unmappedInnerPacket
    /// The source is inside the translation prefix: the packet was translated already.
    case loop
    /// An IPv4 packet to a port that nobody has a mapping for.
    case noMapping
    /// An IPv4 packet from an address that the client has not sent to.
    case filtered
    /// All ports of the client's public address are taken.
    case portsExhausted
    /// The client has as many mappings or sessions as it may have.
    case quota
    /// A table has as many entries as it may have.
    case tableFull
    /// Fragments wait for their first fragment in greater number than may wait.
    case fragmentLimit
    /// A fragment's first fragment has not come in time.
    case fragmentTimeout
    /// The memory for the tables could not be had when the translator started.
    case noMemory
    /// A TCP SYN from outside, that no mapping permits, found no room to wait for one of the client.
    case heldSYNLimit
    /// A TCP SYN from outside has waited in vain for one of the client.
    case unansweredSYN
    /// A TCP SYN from outside that need not wait: one of the same connection does already, or the client has opened it.
    case supersededSYN
}
