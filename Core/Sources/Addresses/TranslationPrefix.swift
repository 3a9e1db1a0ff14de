/// An IPv6 prefix in which IPv4 addresses are embedded (RFC 6052 §2.2).
@frozen
public struct TranslationPrefix: Hashable, Sendable {
    /// The network bits; the bits of the embedded address and the suffix are zero.
    public let address: IPv6Address
    /// The number of network bits: 32, 40, 48, 56, 64 or 96.
    public let length: Int
    @usableFromInline let mask: UInt128

    /// Makes a prefix; nil for an IPv4 prefix, another length, or when bits 64 to 71 are not zero.
    @inlinable
    public init?(_ prefix: IPPrefix) {
        guard case .v6(let address) = prefix.address, TranslationPrefix.lengths.contains(prefix.length),
            address.rawValue & TranslationPrefix.reservedOctet == 0
        else { return nil }
        self.address = address
        length = prefix.length
        mask = ~0 << UInt128(128 - prefix.length)
    }

    @usableFromInline
    init(wellKnown address: IPv6Address) {
        self.address = address
        length = 96
        mask = ~0 << 32
    }

    /// The well-known prefix `64:ff9b::/96` (RFC 6052 §2.1).
    public static let wellKnown = TranslationPrefix(wellKnown: IPv6Address(rawValue: 0x0064_FF9B << 96))

    /// The lengths that RFC 6052 defines.
    public static let lengths = [32, 40, 48, 56, 64, 96]

    /// Bits 64 to 71, which are zero in every embedded address.
    @inlinable static var reservedOctet: UInt128 { 0xFF << 56 }

    /// The prefix as a network.
    @inlinable
    public var prefix: IPPrefix { IPPrefix(.v6(address), length: length) }

    /// Whether `other` begins with this prefix.
    @inlinable
    public func contains(_ other: IPv6Address) -> Bool { (other.rawValue ^ address.rawValue) & mask == 0 }

    /// The IPv6 address that stands for an IPv4 address; its suffix is zero.
    @inlinable
    public func embedding(_ inner: IPv4Address) -> IPv6Address {
        let bits = UInt128(inner.rawValue)
        guard length != 96 else { return IPv6Address(rawValue: address.rawValue | bits) }
        // The address starts right after the prefix and makes room for the reserved octet at bit 64.
        let place = bits << UInt128(96 - length)
        let high = place & ~TranslationPrefix.lowHalf
        let low = (place & TranslationPrefix.lowHalf) >> 8
        return IPv6Address(rawValue: address.rawValue | high | low)
    }

    /// The IPv4 address embedded in `outer`, whatever its suffix; nil if it does not begin with this prefix.
    @inlinable
    public func extracting(from outer: IPv6Address) -> IPv4Address? {
        guard contains(outer) else { return nil }
        let bits = outer.rawValue
        guard length != 96 else { return IPv4Address(rawValue: UInt32(truncatingIfNeeded: bits)) }
        let joined = bits & ~TranslationPrefix.lowHalf | (bits << 8) & TranslationPrefix.lowHalf
        return IPv4Address(rawValue: UInt32(truncatingIfNeeded: joined >> UInt128(96 - length)))
    }

    @inlinable static var lowHalf: UInt128 { UInt128(UInt64.max) }
}
