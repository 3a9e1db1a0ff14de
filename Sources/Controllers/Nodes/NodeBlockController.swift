import Addresses
import JSON
import KubernetesAPI
import KubernetesClient
import Synchronization

/// Gives every node its blocks of pod addresses.
final class NodeBlockController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()
    private let blocks: Mutex<NodeBlocks>

    init(context: ControllerContext) throws {
        self.context = context
        var blocks = NodeBlocks(context.configuration)
        // Every block in use must be known before the first one is given.
        for node in context.informers.nodes.store.list() where !node.podCIDRs.isEmpty {
            try blocks.occupy(Self.prefixes(of: node), by: node.name)
        }
        self.blocks = Mutex(blocks)
    }

    func run() async {
        guard !context.configuration.clusterCIDRs.isEmpty else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.nodes.feed(self.queue) }
            group.addTask { await self.context.work(on: self.queue, name: "node blocks", self.sync) }
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
        guard let node = context.informers.nodes.store.get(key) else {
            blocks.withLock { $0.release(key.name) }
            return
        }
        guard node.podCIDRs.isEmpty else {
            let prefixes = try Self.prefixes(of: node)
            try blocks.withLock { try $0.occupy(prefixes, by: node.name) }
            return
        }
        switch blocks.withLock({ $0.allocate(for: node.name) }) {
        case .exhausted(let range):
            context.events.normal(node, "CIDRNotAvailable", "Node \(node.name) status is now: CIDRNotAvailable")
            throw NodeBlocks.Mismatch(description: "the cluster CIDR \(range) has no free block for \(node.name)")
        case .blocks(let given):
            let texts = given.map { JSONValue.string($0.description) }
            let patch: JSONValue = ["spec": ["podCIDR": texts.first ?? .null, "podCIDRs": .array(texts)]]
            do {
                let _: Node = try await context.client.patch(
                    Node.self, namespace: nil, name: node.name, patch: patch, type: .strategic)
            } catch {
                // Whoever set other blocks meanwhile has the say; ours go back and the next sync sees the node's.
                if let error = error as? StatusError, error.code < 500 {
                    blocks.withLock { $0.release(node.name) }
                }
                context.events.normal(
                    node, "CIDRAssignmentFailed", "Node \(node.name) status is now: CIDRAssignmentFailed")
                throw error
            }
        }
    }
}
