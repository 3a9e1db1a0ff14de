package import Addresses

/// The addresses of one prefix that Services can have (KEP-3070: the lower band is for static addresses).
package struct ClusterIPRange: Sendable, Equatable {
    /// The range.
    package let prefix: IPPrefix
    /// Numbers count from the first usable address.
    private let numbers: BandedNumbers

    /// Describes a range; its first address is never given out, nor the last of an IPv4 range.
    package init(_ prefix: IPPrefix) {
        self.prefix = prefix
        let size: UInt128 = prefix.hostBits >= 127 ? UInt128(1) << 127 : UInt128(1) << UInt128(prefix.hostBits)
        let excluded: UInt128 = prefix.family == .ipv4 ? 2 : 1
        numbers = BandedNumbers(
            count: size > excluded ? size - excluded : 0, staticCount: Self.staticCount(size: size))
    }

    /// How many of the first addresses of a range are left to those who ask for them.
    package static func staticCount(size: UInt128) -> UInt128 {
        size <= 16 ? 0 : min(max(size / 16, 16), 256)
    }

    /// Whether Services can have an address.
    package func isUsable(_ address: IPAddress) -> Bool {
        guard let offset = prefix.offset(of: address) else { return false }
        return offset >= 1 && offset - 1 < numbers.count
    }

    /// Any address that is not taken; nil when there is none.
    package func choose(using generator: inout some RandomNumberGenerator, isTaken: (IPAddress) -> Bool) -> IPAddress? {
        let base = prefix.address
        func address(_ number: UInt128) -> IPAddress {
            IPAddress(family: base.family, bits: base.bits | (number + 1))
        }
        return numbers.choose(using: &generator) { isTaken(address($0)) }.map(address)
    }
}
