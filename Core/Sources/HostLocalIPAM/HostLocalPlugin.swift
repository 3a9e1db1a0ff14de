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
        var store = try AllocationStore(request.configuration)
        var allocation = Allocation(request, configuration, own: try store.reservations(of: request.attachment))
        do {
            try allocation.reserveAll(in: &store)
        } catch {
            for address in allocation.reserved {
                try? store.release(address.address.address, of: request.containerID)
            }
            throw error
        }
        result.addresses = allocation.reserved
        result.routes = configuration.routes
        return result
    }

    /// Frees every address of the attachment, also where the ranges are wrong or no longer those of its ADD.
    public func delete(_ request: CNIRequest) throws {
        var store = try AllocationStore(request.configuration)
        try release(try store.reservations(of: request.attachment), in: &store)
    }

    /// Verifies that the attachment has an address.
    public func check(_ request: CNIRequest) throws {
        _ = try HostLocalConfiguration(request)
        var store = try AllocationStore(request.configuration)
        guard try !store.reservations(of: request.attachment).isEmpty else {
            throw CNIError("host-local: Failed to find address added by container \(request.containerID)")
        }
    }

    /// Frees every address that belongs to no valid attachment.
    public func collectGarbage(_ request: CNIRequest) throws {
        let valid = try request.configuration.validAttachments()
        var store = try AllocationStore(request.configuration)
        let obsolete = try store.reservations().filter { reservation in
            !valid.contains { reservation.belongs(to: $0) }
        }
        try release(obsolete, in: &store)
    }

    /// Fails with code 50 when a range set has no free address.
    public func status(_ request: CNIRequest) throws {
        let configuration = try HostLocalConfiguration(request)
        let store = try AllocationStore(request.configuration)
        for (index, set) in configuration.rangeSets.enumerated() {
            guard set.next(after: store.lastReserved(set: index), isTaken: { store.isTaken($0.address) }) != nil else {
                throw CNIError(.unavailable, "no IP addresses available in range set: \(set)")
            }
        }
    }

    /// Releases allocations, tries every one, and reports the first failure.
    private func release(
        _ reservations: [AllocationStore.Reservation], in store: inout AllocationStore
    ) throws {
        var failure: SystemError?
        for reservation in reservations {
            do throws(SystemError) {
                try store.release(reservation.address, of: reservation.containerID)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }
}

extension AllocationStore {
    /// Opens the allocations of a configuration's network.
    init(_ configuration: NetworkConfiguration) throws(SystemError) {
        try self.init(
            dataDirectory: HostLocalConfiguration.dataDirectory(configuration), network: configuration.name)
    }
}

extension CNIRequest {
    var attachment: NetworkConfiguration.Attachment {
        NetworkConfiguration.Attachment(containerID: containerID, interfaceName: interfaceName)
    }
}
