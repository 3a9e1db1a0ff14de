extension IPAddress {
    /// Whether this is `0.0.0.0` or `::`.
    @inlinable
    public var isUnspecified: Bool { bits == 0 }

    /// Whether this is in `127.0.0.0/8` or is `::1`.
    @inlinable
    public var isLoopback: Bool { family == .ipv4 ? bits >> 24 == 127 : bits == 1 }

    /// Whether this is in `169.254.0.0/16` or `fe80::/10`.
    @inlinable
    public var isLinkLocalUnicast: Bool { family == .ipv4 ? bits >> 16 == 0xA9FE : bits >> 118 == 0xFE80 >> 6 }

    /// Whether this is in `224.0.0.0/4` or `ff00::/8`.
    @inlinable
    public var isMulticast: Bool { family == .ipv4 ? bits >> 28 == 0xE : bits >> 120 == 0xFF }

    /// Whether this is in `224.0.0.0/24`, or is IPv6 multicast of link-local scope (`ff02::/16` whatever the flags).
    @inlinable
    public var isLinkLocalMulticast: Bool {
        family == .ipv4 ? bits >> 8 == 0xE00000 : (bits >> 112) & 0xFF0F == 0xFF02
    }

    /// Whether this is in one of the private IPv4 ranges of RFC 1918, or a unique local IPv6 address (RFC 4193).
    @inlinable
    public var isPrivate: Bool {
        family == .ipv4
            ? bits >> 24 == 10 || bits >> 20 == 0xAC1 || bits >> 16 == 0xC0A8
            : bits >> 121 == 0xFC >> 1
    }
}

extension IPPrefix {
    /// Whether some of its addresses are loopback, link-local or multicast ones, which no pod and no Service can have.
    public var holdsReservedAddresses: Bool { Self.reserved.contains { $0.overlaps(self) } }

    private static let reserved = ["127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "::1/128", "fe80::/10", "ff00::/8"]
        .compactMap { IPPrefix($0) }
}
