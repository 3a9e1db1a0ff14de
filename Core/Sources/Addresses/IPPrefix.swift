/// A network: an address whose host bits are zero, and the number of leading bits that its members share.
@frozen
public struct IPPrefix: Hashable, Sendable {
    /// The first address.
    public let address: IPAddress
    /// The number of network bits: 0...32 or 0...128.
    public let length: Int

    /// Makes the network of the given length that contains `address`; host bits are cleared.
    ///
    /// - Precondition: `length` is in 0...32 for IPv4 and 0...128 for IPv6.
    @inlinable
    public init(_ address: IPAddress, length: Int) {
        precondition(length >= 0 && length <= address.family.bitWidth, "prefix length out of range")
        let mask = IPPrefix.hostMask(address.family.bitWidth - length)
        self.address = IPAddress(family: address.family, bits: address.bits & ~mask)
        self.length = length
    }

    /// A number whose low `bits` bits are set.
    @inlinable
    static func hostMask(_ bits: Int) -> UInt128 { bits == 128 ? .max : (1 << UInt128(bits)) - 1 }

    /// The family of the addresses.
    @inlinable
    public var family: IPFamily { address.family }

    /// The number of bits that differ between members.
    @inlinable
    public var hostBits: Int { family.bitWidth - length }

    /// The first address.
    @inlinable
    public var first: IPAddress { address }

    /// The last address; the broadcast address of an IPv4 subnet.
    @inlinable
    public var last: IPAddress { IPAddress(family: family, bits: address.bits | IPPrefix.hostMask(hostBits)) }

    /// The subnet mask as an address: `255.255.255.0`, `ffff:ffff::`.
    @inlinable
    public var mask: IPAddress { IPAddress(family: family, bits: ~IPPrefix.hostMask(hostBits)) }

    /// Whether `other` is of this family and inside the network.
    @inlinable
    public func contains(_ other: IPAddress) -> Bool {
        other.family == family && (other.bits ^ address.bits) & ~IPPrefix.hostMask(hostBits) == 0
    }

    /// Whether every address of `other` is inside this network.
    @inlinable
    public func contains(_ other: IPPrefix) -> Bool { length <= other.length && contains(other.address) }

    /// Whether the two networks share an address.
    @inlinable
    public func overlaps(_ other: IPPrefix) -> Bool { contains(other) || other.contains(self) }
}

extension IPPrefix: Comparable {
    /// Orders by address, then the shorter prefix first.
    @inlinable
    public static func < (left: IPPrefix, right: IPPrefix) -> Bool {
        (left.address, left.length) < (right.address, right.length)
    }
}
