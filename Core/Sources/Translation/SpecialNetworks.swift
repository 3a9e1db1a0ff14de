public import Addresses

/// Networks that mean something of their own, for translators outside this module.
public enum SpecialNetworks {
    /// Those of IPv4 whose addresses are neither source nor destination of a translated packet.
    public static let untranslated = prefixes([
        (0x0000_0000, 8), (0x7F00_0000, 8), (0xA9FE_0000, 16), (0xE000_0000, 4), (0xFFFF_FFFF, 32),
    ])

    /// Those of IPv6: the unspecified and the loopback address, link-local ones and multicast.
    public static let untranslatedIPv6 = [(0, 127), (0xFE80 << 112, 10), (0xFF << 120, 8)].map {
        IPPrefix(.v6(IPv6Address(rawValue: $0.0)), length: $0.1)
    }

    /// Those that the well-known prefix may not stand for, since their addresses do not mean the same everywhere
    /// (RFC 6052 §3.1, and the IANA registry of special-purpose IPv4 addresses).
    public static let nonGlobal = prefixes([
        (0x0000_0000, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16),
        (0xAC10_0000, 12), (0xC000_0000, 24), (0xC000_0200, 24), (0xC0A8_0000, 16), (0xC612_0000, 15),
        (0xC633_6400, 24), (0xCB00_7100, 24), (0xE000_0000, 3),
    ])

    private static func prefixes(_ networks: [(UInt32, Int)]) -> [IPPrefix] {
        networks.map { IPPrefix(.v4(IPv4Address(rawValue: $0.0)), length: $0.1) }
    }
}
