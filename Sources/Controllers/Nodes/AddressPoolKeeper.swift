import AddressPlanning
import Addresses
import JSON
import KubernetesAPI
import KubernetesClient

/// Keeps AddressPools themselves: the one that the flags make, their finalizers, what they say of themselves, and the
/// ServiceCIDRs that follow from those for Services.
final class AddressPoolKeeper: Sendable {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()
    private let serviceRanges: ServicePoolRanges

    /// Changes of many nodes are told together.
    private static let calm = Duration.milliseconds(300)

    init(context: ControllerContext) {
        self.context = context
        serviceRanges = ServicePoolRanges(client: context.client)
    }

    /// Brings a pool up to date: at once when it is not held yet, since it gives no blocks before.
    func lookAt(_ pool: AddressPool) {
        if pool.isHeld { lookAt(pool.name) } else { queue.add(pool.key) }
    }

    private func lookAt(_ name: String) {
        queue.add(ObjectKey(namespace: nil, name: name), after: Self.calm)
    }

    /// Brings all pools for pods up to date soon.
    func lookAtAll() {
        for pool in context.informers.addressPools.store.list() where pool.isForPods { lookAt(pool.name) }
    }

    /// Brings the pools up to date soon that wait for prefixes to become empty.
    func lookAtDraining() {
        for pool in context.informers.addressPools.store.list()
        where pool.isForPods && BlockPool(pool).sources.contains(where: \.isDraining) { lookAt(pool.name) }
    }

    /// Works until the task is cancelled.
    ///
    /// - Parameter usage: How much of a pool nodes have.
    func run(usage: @escaping @Sendable (String) -> PoolUsage) async {
        if let pool = context.configuration.defaultPool { queue.add(pool.key) }
        await context.work(on: queue, name: "address pools") { try await self.sync($0, usage) }
    }

    private func sync(_ key: ObjectKey, _ usage: @Sendable (String) -> PoolUsage) async throws {
        guard let pool = context.informers.addressPools.store.get(key) else {
            try await makeDefault(key.name)
            return
        }
        if key.name == AddressPool.defaultName { warnOfOtherFlags(pool) }
        switch pool.spec?.purpose {
        case AddressPoolSpec.pods:
            guard try await hold(pool) else { return }
            let usage = usage(pool.name)
            if pool.isBeingDeleted, usage.allocated.isEmpty { return try await letGo(pool) }
            let status = AddressPoolStatus(
                of: pool, usage, leftovers: leftovers(in: pool), replacing: pool.status, at: .now)
            guard status != pool.status else { return }
            try await write(status, of: pool)
        case AddressPoolSpec.services:
            guard try await hold(pool) else { return }
            let isSettled = try await serviceRanges.sync(pool)
            if isSettled, pool.isBeingDeleted { return try await letGo(pool) }
            // A range goes once no Service has an address of it, of which nobody tells.
            if !isSettled { queue.add(key, after: .seconds(5)) }
        default: return
        }
    }

    // MARK: The pool of the flags

    private func makeDefault(_ name: String) async throws {
        guard let pool = context.configuration.defaultPool, pool.name == name else { return }
        do {
            try await context.client.create(pool)
        } catch let error as StatusError where error.code == 409 {
            // It is there; the cache will say so.
        }
    }

    private func warnOfOtherFlags(_ pool: AddressPool) {
        let missing = context.configuration.clusterCIDRs.filter { range in
            !pool.prefixes.contains { $0.contains(range) }
        }
        guard !missing.isEmpty else { return }
        context.events.warning(
            pool, "DefaultPoolInconsistent",
            "The pool does not have \(missing.map(\.description).joined(separator: ", ")) of --cluster-cidr; the pool wins: change it instead of the flag"
        )
    }

    // MARK: Finalizer and status

    /// Makes sure that the pool stays while it is in use; false when it is gone already.
    private func hold(_ pool: AddressPool) async throws -> Bool {
        guard !pool.isHeld else { return true }
        guard !pool.isBeingDeleted else { return false }
        try await patch(pool, finalizers: (pool.metadata.finalizers ?? []) + [AddressPool.finalizer])
        return true
    }

    private func letGo(_ pool: AddressPool) async throws {
        let finalizers = pool.metadata.finalizers ?? []
        try await patch(pool, finalizers: finalizers.filter { $0 != AddressPool.finalizer })
    }

    private func patch(_ pool: AddressPool, finalizers: [String]) async throws {
        let patch: JSONValue = [
            "metadata": [
                "resourceVersion": .string(pool.metadata.resourceVersion ?? ""),
                "finalizers": .array(finalizers.map { .string($0) }),
            ]
        ]
        try await context.client.patch(AddressPool.self, namespace: nil, name: pool.name, patch: patch)
    }

    private func write(_ status: AddressPoolStatus, of pool: AddressPool) async throws {
        // Null takes away a family that is gone; lists are replaced.
        var value = try JSONValueEncoder().encode(status)
        for field in ["ipv4", "ipv6"] where value[field] == nil { value[field] = .null }
        do {
            try await context.client.patch(
                AddressPool.self, namespace: nil, name: pool.name, subresource: "status", patch: ["status": value])
        } catch let error as StatusError where error.code == 404 {
            // Gone meanwhile.
        }
    }

    /// The nodes that hold an empty block of a draining prefix because their podCIDRs cannot change, by prefix.
    private func leftovers(in pool: AddressPool) -> [IPPrefix: [String]] {
        let draining = BlockPool(pool).sources.filter(\.isDraining).map(\.prefix)
        guard !draining.isEmpty else { return [:] }
        var nodes: [IPPrefix: [String]] = [:]
        for network in context.informers.nodeNetworks.store.list() {
            let permanent = context.informers.nodes.store.get(nil, network.name)?.podCIDRs ?? []
            for report in network.status?.blocks ?? [] {
                guard report.used == 0, report.state == NodeBlock.releasing, permanent.contains(report.cidr),
                    let block = IPPrefix(report.cidr), let prefix = draining.first(where: { $0.contains(block) })
                else { continue }
                nodes[prefix, default: []].append(network.name)
            }
        }
        return nodes
    }
}
