import Addresses
import CNI
import Linux

/// The course of one ADD: what is asked for, and what has been reserved so far.
struct Allocation {
    /// The addresses reserved by this call, in the order of the range sets.
    private(set) var reserved: [CNIResult.Address] = []

    private let attachment: NetworkConfiguration.Attachment
    private let rangeSets: [RangeSet]
    private let own: [IPAddress]
    private var requested: [IPAddress]

    /// Prepares the allocation for an attachment that has `own` already.
    init(_ request: CNIRequest, _ configuration: HostLocalConfiguration, own: [AllocationStore.Reservation]) {
        attachment = request.attachment
        rangeSets = configuration.rangeSets
        requested = configuration.requested
        self.own = own.map(\.address)
    }

    /// Reserves one address of each set; on an error the caller releases `reserved`.
    mutating func reserveAll(in store: inout AllocationStore) throws {
        for (index, set) in rangeSets.enumerated() {
            do {
                reserved.append(try reserve(set, index, in: &store))
            } catch {
                throw CNIError(error).prefixed("failed to allocate for range \(index)")
            }
        }
        guard requested.isEmpty else {
            let list = requested.map(\.description).joined(separator: " ")
            throw CNIError("failed to allocate all requested IPs: \(list)")
        }
    }

    private mutating func reserve(
        _ set: RangeSet, _ index: Int, in store: inout AllocationStore
    ) throws -> CNIResult.Address {
        if let position = requested.firstIndex(where: { set.range(of: $0) != nil }) {
            let address = requested.remove(at: position)
            return try reserve(requested: address, set, index, in: &store)
        }
        if let address = own.first(where: { set.range(of: $0) != nil }) {
            throw CNIError(
                "\(address) has been allocated to \(attachment.containerID), duplicate allocation is not allowed")
        }
        let last = store.lastReserved(set: index)
        let found = try set.next(after: last) { candidate throws(SystemError) in
            !(try store.reserve(candidate.address, for: attachment, set: index))
        }
        guard let found else { throw CNIError("no IP addresses available in range set: \(set)") }
        return entry(found.address, found.range)
    }

    private func reserve(
        requested address: IPAddress, _ set: RangeSet, _ index: Int, in store: inout AllocationStore
    ) throws -> CNIResult.Address {
        guard let range = set.range(of: address), address != range.gateway else {
            throw CNIError("requested ip \(address) is subnet's gateway")
        }
        guard try store.reserve(address, for: attachment, set: index) else {
            throw CNIError("requested IP address \(address) is not available in range set \(set)")
        }
        return entry(address, range)
    }

    private func entry(_ address: IPAddress, _ range: AddressRange) -> CNIResult.Address {
        CNIResult.Address(
            InterfaceAddress(address, length: range.subnet.length), gateway: range.gateway)
    }
}
