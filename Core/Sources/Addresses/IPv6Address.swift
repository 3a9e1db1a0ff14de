/// An IPv6 address, without a zone.
@frozen
public struct IPv6Address: Hashable, Sendable {
    /// The address as a number, most significant group first, whatever the byte order of the machine.
    public let rawValue: UInt128

    /// Makes an address from its number in host order.
    @inlinable
    public init(rawValue: UInt128) { self.rawValue = rawValue }

    /// Makes the IPv4-mapped address `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2).
    @inlinable
    public init(mapped address: IPv4Address) {
        self.init(rawValue: 0xFFFF_0000_0000 | UInt128(address.rawValue))
    }

    /// The IPv4 address inside an IPv4-mapped address; nil for every other address.
    @inlinable
    public var mapped: IPv4Address? {
        rawValue >> 32 == 0xFFFF ? IPv4Address(rawValue: UInt32(truncatingIfNeeded: rawValue)) : nil
    }
}

extension IPv6Address: Comparable {
    /// Orders by number.
    @inlinable
    public static func < (left: IPv6Address, right: IPv6Address) -> Bool { left.rawValue < right.rawValue }
}
