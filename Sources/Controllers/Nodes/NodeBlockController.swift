import Addresses
import JSON
import KubernetesAPI
import KubernetesClient
import Synchronization

/// Gives every node its blocks of pod addresses: the first of each family in `spec.podCIDRs`, further ones in its
/// NodeNetwork.
final class NodeBlockController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()
    private let blocks: Mutex<NodeBlocks>
    private let pools: AddressPoolKeeper
    /// The newest known NodeNetwork of each node; one without a resource version has been deleted by somebody.
    private let latest = Mutex<[String: NodeNetwork]>([:])
    private let start = ContinuousClock.now

    /// Blocks that no pool has may be there again after this time.
    private static let shortageRetry = Duration.seconds(10)

    init(context: ControllerContext) throws {
        self.context = context
        var blocks = NodeBlocks(context.configuration)
        let pools = context.informers.addressPools.store.list()
        for pool in pools where pool.isForPods { _ = blocks.setPool(pool) }
        for pool in pools where !pool.isForPods { _ = blocks.reserve(pool.prefixes, for: pool.name) }
        if let pool = context.configuration.defaultPool, !pools.contains(where: { $0.name == pool.name }) {
            _ = blocks.setPool(pool)
        }
        // Every block in use must be known before the first one is given.
        for node in context.informers.nodes.store.list() where !node.podCIDRs.isEmpty {
            let prefixes = try Self.prefixes(of: node)
            for prefix in prefixes { try blocks.check(prefix, of: node.name) }
            let network = context.informers.nodeNetworks.store.get(nil, node.name)
            let further = (network?.isOf(node) == true ? network?.spec?.blocks : nil) ?? []
            _ = blocks.occupy(prefixes + further.compactMap { IPPrefix($0.cidr) }, by: node.name)
        }
        self.blocks = Mutex(blocks)
        self.pools = AddressPoolKeeper(context: context)
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.nodes.feed(self.queue) }
            group.addTask { await self.followNetworks() }
            group.addTask { await self.followPools() }
            group.addTask { await self.context.work(on: self.queue, name: "node blocks", self.sync) }
            group.addTask {
                await self.pools.run { name in self.blocks.withLock { $0.usage(of: name) } }
            }
        }
    }

    private func followNetworks() async {
        await context.informers.nodeNetworks.forEach { event in
            guard let network = event.object else { return }
            self.latest.withLock { latest in
                if let known = latest[network.name], known.metadata.uid != network.metadata.uid { return }
                if case .deleted = event {
                    latest[network.name] = network
                    latest[network.name]?.metadata.resourceVersion = nil
                } else if latest[network.name].map({ $0.version < network.version }) ?? true {
                    latest[network.name] = network
                }
            }
            self.queue.add(network.key)
            self.pools.lookAtDraining()
        }
    }

    private func followPools() async {
        await context.informers.addressPools.forEach { event in
            guard let pool = event.object else { return }
            self.pools.lookAt(pool)
            var isDeleted = false
            if case .deleted = event { isDeleted = true }
            guard pool.isForPods else {
                let contested = self.blocks.withLock { $0.reserve(isDeleted ? [] : pool.prefixes, for: pool.name) }
                for prefix in contested {
                    self.context.events.warning(
                        pool, "PrefixOverlap", "Prefix \(prefix) overlaps blocks of nodes or another pool")
                }
                return
            }
            let isChanged = self.blocks.withLock { blocks in
                guard isDeleted else { return blocks.setPool(pool) }
                blocks.removePool(pool.name)
                return true
            }
            // Rare, and every node may have to do with it.
            guard isChanged else { return }
            for node in self.context.informers.nodes.store.list() { self.queue.add(node.key) }
        }
    }

    private static func prefixes(of node: Node) throws(NodeBlocks.Mismatch) -> [IPPrefix] {
        var prefixes: [IPPrefix] = []
        for text in node.podCIDRs {
            guard let prefix = IPPrefix(masking: text) else {
                throw NodeBlocks.Mismatch(description: "node \(node.name) has the block \(text), which is not a prefix")
            }
            prefixes.append(prefix)
        }
        return prefixes
    }

    private func sync(_ key: ObjectKey) async throws {
        guard var node = context.informers.nodes.store.get(key) else {
            blocks.withLock { $0.release(key.name) }
            latest.withLock { _ = $0.removeValue(forKey: key.name) }
            pools.lookAtAll()
            if let network = context.informers.nodeNetworks.store.get(key) { try await remove(network) }
            return
        }
        if node.podCIDRs.isEmpty {
            guard let assigned = try await assign(node) else { return }
            node = assigned
        }
        try await follow(node)
    }

    // MARK: First blocks

    /// Gives a new node its first blocks; nil when the cluster gives none.
    private func assign(_ node: Node) async throws -> Node? {
        let prefixes: [IPPrefix]
        switch blocks.withLock({ $0.allocate(for: node) }) {
        case .unserved:
            guard blocks.withLock({ $0.hasPools }) else { return nil }
            report(node, "CIDRNotAvailable")
            throw NodeBlocks.Mismatch(description: "no AddressPool is for node \(node.name): check the nodeSelectors")
        case .exhausted:
            report(node, "CIDRNotAvailable")
            throw NodeBlocks.Mismatch(
                description: "no AddressPool for node \(node.name) has a free block: add a prefix to one of them")
        case .blocks(let given): prefixes = given
        }
        let texts = prefixes.map { JSONValue.string($0.description) }
        let patch: JSONValue = ["spec": ["podCIDR": texts.first ?? .null, "podCIDRs": .array(texts)]]
        do {
            return try await context.client.patch(
                Node.self, namespace: nil, name: node.name, patch: patch, type: .strategic)
        } catch {
            // Whoever set other blocks meanwhile has the say; ours go back and the next sync sees the node's.
            if let error = error as? StatusError, error.code < 500 {
                blocks.withLock { $0.takeBack(from: node.name) }
            }
            report(node, "CIDRAssignmentFailed")
            throw error
        }
    }

    private func report(_ node: Node, _ reason: String) {
        context.events.normal(node, reason, "Node \(node.name) status is now: \(reason)")
    }

    // MARK: Further blocks

    private func follow(_ node: Node) async throws {
        let network = try await network(of: node)
        let prefixes = try Self.prefixes(of: node) + (network?.spec?.blocks ?? []).compactMap { IPPrefix($0.cidr) }
        let (contested, strays) = blocks.withLock { blocks in
            (blocks.occupy(Array(Set(prefixes)), by: node.name), blocks.newStrays(of: node.name))
        }
        for block in strays {
            context.events.warning(
                node, "CIDROutsidePools",
                "Block \(block) of node \(node.name) is in no AddressPool; it stays the node's as long as the node is there"
            )
        }
        for block in contested {
            context.events.warning(
                node, "CIDROverlap",
                "Block \(block) of node \(node.name) overlaps one of another node or a Service range")
        }
        let now = Int(start.duration(to: .now) / .seconds(1))
        let step = blocks.withLock { $0.step(node, network, now: now) }
        if network?.spec != step.spec || network?.metadata.resourceVersion == nil {
            do {
                let result = try await write(step.spec, of: node, replacing: network)
                latest.withLock { $0[node.name] = result }
            } catch {
                blocks.withLock { $0.release(step.added, of: node.name) }
                throw error
            }
            blocks.withLock { $0.release(step.returned, of: node.name) }
            pools.lookAtAll()
        }
        if let seconds = step.secondsToNext { queue.add(node.key, after: .seconds(seconds)) }
        if !step.shortOf.isEmpty {
            report(node, "CIDRNotAvailable")
            queue.add(node.key, after: Self.shortageRetry)
        }
    }

    /// The newest known NodeNetwork of a node; one of an earlier node of the same name is removed.
    private func network(of node: Node) async throws -> NodeNetwork? {
        let known = latest.withLock { $0[node.name] } ?? context.informers.nodeNetworks.store.get(nil, node.name)
        guard let known, !known.isOf(node) else { return known }
        if known.metadata.resourceVersion != nil { try await remove(known) }
        latest.withLock { _ = $0.removeValue(forKey: node.name) }
        return nil
    }

    private func remove(_ network: NodeNetwork) async throws {
        do {
            try await context.client.delete(
                NodeNetwork.self, namespace: nil, name: network.name, uidPrecondition: network.metadata.uid)
        } catch let error as StatusError where error.code == 404 || error.code == 409 {
            // It went with its node, or is another one already.
        }
    }

    private func write(
        _ spec: NodeNetworkSpec, of node: Node, replacing old: NodeNetwork?
    ) async throws -> NodeNetwork {
        guard let version = old?.metadata.resourceVersion else {
            var owner = node.controllerReference
            owner.blockOwnerDeletion = nil
            return try await context.client.create(
                NodeNetwork(metadata: ObjectMeta(name: node.name, ownerReferences: [owner]), spec: spec))
        }
        let patch: JSONValue = [
            "metadata": ["resourceVersion": .string(version)], "spec": try JSONValueEncoder().encode(spec),
        ]
        return try await context.client.patch(NodeNetwork.self, namespace: nil, name: node.name, patch: patch)
    }
}

extension NodeNetwork {
    /// Whether it belongs to this node and not to an earlier one of the same name.
    fileprivate func isOf(_ node: Node) -> Bool {
        metadata.ownerReferences?.contains { $0.uid == node.metadata.uid } ?? false
    }
}
