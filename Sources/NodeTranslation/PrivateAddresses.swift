package import Addresses

/// The private IPv4 addresses of a node's pods.
///
/// An address that was given back is given out again as late as possible: the kernel may remember connections of it.
package struct PrivateAddresses: Sendable {
    /// What an address is for.
    package enum Purpose: Hashable, Sendable, CaseIterable {
        /// It stands for the pod's IPv6 address.
        case translated
        /// It stands for the IPv4 address that all pods with a CLAT have.
        case clat
    }

    /// Who has an address.
    package struct Owner: Hashable, Sendable {
        package let pod: IPv6Address
        package let purpose: Purpose

        package init(_ pod: IPv6Address, _ purpose: Purpose) {
            self.pod = pod
            self.purpose = purpose
        }
    }

    private let range: IPPrefix
    private var addresses: [Owner: IPv4Address] = [:]
    private var owners: [IPv4Address: Owner] = [:]
    /// The offset in the range that is tried next.
    private var next = firstOffset

    /// The network's own address is nobody's, the one after it the translator's.
    private static let firstOffset: UInt32 = 2

    /// An IPv4 range of at least eight addresses, of which none is given out.
    package init(range: IPPrefix) { self.range = range }

    /// The translator's own address.
    package var own: IPv4Address { address(at: Self.firstOffset - 1) }

    /// How many pods' addresses there are.
    package var capacity: Int { Int(behindLast - Self.firstOffset) }

    /// The address that an owner has.
    package subscript(owner: Owner) -> IPv4Address? { addresses[owner] }

    /// All owners of a purpose, by their addresses.
    package func pods(_ purpose: Purpose) -> [IPv4Address: IPv6Address] {
        owners.compactMapValues { $0.purpose == purpose ? $0.pod : nil }
    }

    /// Takes over what an owner had before; false when the address is outside the range or another's.
    package mutating func adopt(_ address: IPv4Address, for owner: Owner) -> Bool {
        let offset = Int64(address.rawValue) - Int64(self.address(at: 0).rawValue)
        guard offset >= Int64(Self.firstOffset), offset < Int64(behindLast), owners[address] == nil,
            addresses[owner] == nil
        else { return false }
        give(address, to: owner)
        next = max(next, UInt32(offset) + 1)
        return true
    }

    /// The address of an owner, a new one if it has none; nil when all are taken.
    package mutating func assign(_ owner: Owner) -> IPv4Address? {
        if let address = addresses[owner] { return address }
        guard owners.count < capacity else { return nil }
        repeat {
            if next >= behindLast { next = Self.firstOffset }
            let candidate = address(at: next)
            next += 1
            guard owners[candidate] != nil else {
                give(candidate, to: owner)
                return candidate
            }
        } while true
    }

    /// Takes an owner's address back.
    package mutating func release(_ owner: Owner) {
        if let address = addresses.removeValue(forKey: owner) { owners[address] = nil }
    }

    private mutating func give(_ address: IPv4Address, to owner: Owner) {
        addresses[owner] = address
        owners[address] = owner
    }

    /// The offset of the broadcast address.
    private var behindLast: UInt32 { UInt32((UInt64(1) << UInt64(range.hostBits)) - 1) }

    private func address(at offset: UInt32) -> IPv4Address {
        IPv4Address(rawValue: UInt32(truncatingIfNeeded: range.address.bits) + offset)
    }
}
