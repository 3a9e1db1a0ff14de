package import Addresses

/// Why an address or a port was not given out.
package struct AllocationError: Error, Equatable, CustomStringConvertible {
    /// The text, in the words of Kubernetes' allocators.
    package let description: String

    /// Nothing is free.
    static let full = AllocationError(description: "range is full")
}

/// The addresses of one Service range (spec of KEP-3070: the lower band for static addresses).
package struct ClusterIPAllocator: Sendable, Equatable {
    /// The range.
    package let prefix: IPPrefix
    /// Numbers count from the first usable address.
    private var numbers: SparseAllocator

    /// Starts with all addresses free; the first address of a range is never given out, nor the last of an IPv4 range.
    package init(prefix: IPPrefix) {
        self.prefix = prefix
        let size: UInt128 = prefix.hostBits >= 127 ? UInt128(1) << 127 : UInt128(1) << UInt128(prefix.hostBits)
        let excluded: UInt128 = prefix.family == .ipv4 ? 2 : 1
        numbers = SparseAllocator(
            count: size > excluded ? size - excluded : 0, staticCount: Self.staticCount(size: size))
    }

    /// How many of the first addresses of a range are left to those who ask for them.
    package static func staticCount(size: UInt128) -> UInt128 {
        size <= 16 ? 0 : min(max(size / 16, 16), 256)
    }

    /// The first address that a Service can have.
    package var first: IPAddress? { prefix.address(at: 1) }

    /// The number of addresses in use.
    package var usedCount: Int { numbers.usedCount }

    /// Takes a certain address.
    package mutating func take(_ address: IPAddress) throws(AllocationError) {
        guard prefix.contains(address) else {
            throw AllocationError(description: "the provided network does not match the current range")
        }
        guard let number = number(of: address) else {
            throw AllocationError(
                description:
                    "the provided IP (\(address)) is not in the valid range. The range of valid IPs is \(prefix)")
        }
        guard numbers.take(number) else { throw AllocationError(description: "provided IP is already allocated") }
    }

    /// Takes any address.
    package mutating func takeAny(using generator: inout some RandomNumberGenerator) throws(AllocationError)
        -> IPAddress
    {
        guard let number = numbers.takeAny(using: &generator), let address = prefix.address(at: number + 1) else {
            throw .full
        }
        return address
    }

    /// Gives an address back; others than those of the range do not matter.
    package mutating func release(_ address: IPAddress) {
        if let number = number(of: address) { numbers.release(number) }
    }

    private func number(of address: IPAddress) -> UInt128? {
        guard prefix.contains(address) else { return nil }
        let offset = address.bits - prefix.address.bits
        return offset >= 1 && offset - 1 < numbers.count ? offset - 1 : nil
    }
}
