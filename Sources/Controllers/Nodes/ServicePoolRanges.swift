import Addresses
import KubernetesAPI
import KubernetesClient

/// The ServiceCIDRs that follow from pools for Services: one for each active prefix.
///
/// A prefix that drains is a ServiceCIDR that is being deleted: it gives no new addresses and goes when none is in use.
struct ServicePoolRanges: Sendable {
    let client: KubernetesClient

    /// Makes the ServiceCIDRs of a pool what its prefixes say; false while one has yet to go.
    func sync(_ pool: AddressPool) async throws -> Bool {
        let present = try await client.list(ServiceCIDR.self).items.filter { range in
            range.metadata.ownerReferences?.contains { $0.uid == pool.metadata.uid } ?? false
        }
        let active = (pool.spec?.prefixes ?? []).filter {
            !pool.isBeingDeleted && $0.state != AddressPoolPrefix.draining
        }
        let wanted = Set(active.compactMap { IPPrefix($0.cidr) })
        var isSettled = true
        for range in present where !wanted.contains(where: { range.spec?.cidrs == [$0.description] }) {
            isSettled = false
            guard !range.isBeingDeleted else { continue }
            try await client.delete(
                ServiceCIDR.self, namespace: nil, name: range.name, uidPrecondition: range.metadata.uid)
        }
        for prefix in wanted.sorted() {
            if let range = present.first(where: { $0.spec?.cidrs == [prefix.description] }) {
                // What is on its way out cannot be called back: it is made anew when it is gone.
                if range.isBeingDeleted { isSettled = false }
                continue
            }
            try await client.create(ServiceCIDR(prefix, of: pool))
        }
        return isSettled
    }
}

extension ServiceCIDR {
    /// The object for a prefix of a pool, which owns it.
    fileprivate init(_ prefix: IPPrefix, of pool: AddressPool) {
        var owner = pool.controllerReference
        owner.blockOwnerDeletion = nil
        // Names have no colons and slashes.
        let text = String(prefix.description.map { $0.isLetter || $0.isNumber ? $0 : "-" })
        self.init(
            metadata: ObjectMeta(name: "\(pool.name)-\(text)", ownerReferences: [owner]),
            spec: ServiceCIDRSpec(cidrs: [prefix.description]))
    }
}
