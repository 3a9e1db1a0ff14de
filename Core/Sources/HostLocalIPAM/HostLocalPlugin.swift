import Addresses
public import CNI
import Linux

/// The host-local plugin: addresses out of configured ranges, recorded in files on this host.
public struct HostLocalPlugin: CNIPlugin {
    /// The name under which a runtime executes it.
    public let name = "host-local"

    /// Makes the plugin.
    public init() {}

    /// Allocates one address out of each range set, or none at all.
    public func add(_ request: CNIRequest) throws -> CNIResult {
        let configuration = try HostLocalConfiguration(request)
        var result = CNIResult()
        if !configuration.resolverFile.isEmpty {
            result.dns = CNIResult.DNS(resolverFile: try FileSystem.readText(configuration.resolverFile))
        }
        let store = try AllocationStore(
            dataDirectory: configuration.dataDirectory, network: configuration.network)
        var allocation = Allocation(request, configuration, existing: try store.reservations())
        do {
            try allocation.reserveAll(in: store)
        } catch {
            for address in allocation.reserved { try? store.release(address.address.address) }
            throw error
        }
        result.addresses = allocation.reserved
        result.routes = configuration.routes
        return result
    }

    /// Frees every address of the attachment.
    public func delete(_ request: CNIRequest) throws {
        let attachment = request.attachment
        try release(request) { $0.belongs(to: attachment) }
    }

    /// Verifies that the attachment has an address.
    public func check(_ request: CNIRequest) throws {
        let configuration = try HostLocalConfiguration(request)
        let store = try AllocationStore(
            dataDirectory: configuration.dataDirectory, network: configuration.network)
        guard try store.reservations().contains(where: { $0.belongs(to: request.attachment) }) else {
            throw CNIError("host-local: Failed to find address added by container \(request.containerID)")
        }
    }

    /// Frees every address that belongs to no valid attachment.
    public func collectGarbage(_ request: CNIRequest) throws {
        let valid = try request.configuration.validAttachments()
        try release(request) { reservation in !valid.contains { reservation.belongs(to: $0) } }
    }

    /// Fails with code 50 when a range set has no free address.
    public func status(_ request: CNIRequest) throws {
        let configuration = try HostLocalConfiguration(request)
        let store = try AllocationStore(
            dataDirectory: configuration.dataDirectory, network: configuration.network)
        let taken = Set(try store.reservations().map(\.address))
        for set in configuration.rangeSets where set.next(after: nil, isTaken: { taken.contains($0.address) }) == nil {
            throw CNIError(.unavailable, "no IP addresses available in range set: \(set)")
        }
    }

    /// Releases what fits, tries every one, and reports the first failure.
    private func release(
        _ request: CNIRequest, where isObsolete: (AllocationStore.Reservation) -> Bool
    ) throws {
        let configuration = try HostLocalConfiguration(request)
        let store = try AllocationStore(
            dataDirectory: configuration.dataDirectory, network: configuration.network)
        var failure: SystemError?
        for reservation in try store.reservations() where isObsolete(reservation) {
            do throws(SystemError) {
                try store.release(reservation.address)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}

extension CNIRequest {
    var attachment: NetworkConfiguration.Attachment {
        NetworkConfiguration.Attachment(containerID: containerID, interfaceName: interfaceName)
    }
}
