/// An address of either family.
@frozen
public enum IPAddress: Hashable, Sendable {
    /// An IPv4 address.
    case v4(IPv4Address)
    /// An IPv6 address.
    case v6(IPv6Address)

    /// Makes an address from the low `family.bitWidth` bits of a number in host order.
    @inlinable
    public init(family: IPFamily, bits: UInt128) {
        switch family {
        case .ipv4: self = .v4(IPv4Address(rawValue: UInt32(truncatingIfNeeded: bits)))
        case .ipv6: self = .v6(IPv6Address(rawValue: bits))
        }
    }

    /// Makes an address from 4 or 16 bytes in network order; nil for any other count.
    @inlinable
    public init?(bytes: some Collection<UInt8>) {
        var bits: UInt128 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt128(byte)
            count += 1
        }
        switch count {
        case 4: self.init(family: .ipv4, bits: bits)
        case 16: self.init(family: .ipv6, bits: bits)
        default: return nil
        }
    }

    /// The family of the address.
    @inlinable
    public var family: IPFamily {
        switch self {
        case .v4: .ipv4
        case .v6: .ipv6
        }
    }

    /// The address as a number in host order; an IPv4 address fills the low 32 bits.
    @inlinable
    public var bits: UInt128 {
        switch self {
        case .v4(let address): UInt128(address.rawValue)
        case .v6(let address): address.rawValue
        }
    }

    /// The 4 or 16 bytes in network order.
    @inlinable
    public var bytes: [UInt8] {
        let bits = bits
        let count = family.byteCount
        return (0..<count).map { UInt8(truncatingIfNeeded: bits >> UInt128(8 * (count - 1 - $0))) }
    }

    /// The all-zeros address of a family: `0.0.0.0` or `::`.
    @inlinable
    public static func unspecified(_ family: IPFamily) -> IPAddress { IPAddress(family: family, bits: 0) }

    /// The loopback address of a family: `127.0.0.1` or `::1`.
    @inlinable
    public static func loopback(_ family: IPFamily) -> IPAddress {
        IPAddress(family: family, bits: family == .ipv4 ? 0x7F00_0001 : 1)
    }

    /// The address `distance` places later; nil beyond the family's last address.
    @inlinable
    public func advanced(by distance: UInt128) -> IPAddress? {
        let (sum, overflow) = bits.addingReportingOverflow(distance)
        guard !overflow, family == .ipv6 || sum <= UInt128(UInt32.max) else { return nil }
        return IPAddress(family: family, bits: sum)
    }
}

extension IPAddress: Comparable {
    /// Orders IPv4 before IPv6, then by number.
    @inlinable
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.family == right.family ? left.bits < right.bits : left.family < right.family
    }
}
