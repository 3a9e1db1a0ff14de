import JSON
import KubernetesAPI
import KubernetesClient
import Synchronization

/// Marks nodes that are not ready or no longer heard of, and ends pods that do not bear the mark.
final class NodeHealthController: Controller {
    /// The last sign of life of a node, by this process's own clock: clocks of machines differ.
    private struct Sign {
        var renewTime: String?
        var seen: ContinuousClock.Instant
    }

    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()
    private let signs = Mutex<[String: Sign]>([:])

    /// Namespace of the nodes' leases.
    private static let leaseNamespace = "kube-node-lease"

    init(context: ControllerContext) {
        self.context = context
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.nodes.feed(self.queue) }
            group.addTask {
                await self.context.informers.leases.forEach { event in
                    guard let lease = event.object, lease.namespace == Self.leaseNamespace else { return }
                    self.queue.add(ObjectKey(namespace: nil, name: lease.name))
                }
            }
            group.addTask {
                await self.context.informers.pods.forEach { event in
                    // A pod that is bound to a marked node late is subject to the mark as well.
                    guard case .added(let pod) = event, let node = pod.spec?.nodeName else { return }
                    self.queue.add(ObjectKey(namespace: nil, name: node))
                }
            }
            group.addTask { await self.context.work(on: self.queue, name: "node health", self.sync) }
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        guard let node = context.informers.nodes.store.get(key) else {
            signs.withLock { _ = $0.removeValue(forKey: key.name) }
            return
        }
        let grace = Duration.seconds(context.configuration.nodeGracePeriodSeconds)
        let silence = silence(of: node)
        let health = NodeHealth(node: node, isLost: silence >= grace, now: .now)
        if let conditions = health.conditions {
            let patch: JSONValue = [
                "metadata": ["resourceVersion": .string(node.metadata.resourceVersion ?? "")],
                "status": ["conditions": try JSONValueEncoder().encode(conditions)],
            ]
            let _: Node = try await context.client.patch(
                Node.self, namespace: nil, name: node.name, subresource: "status", patch: patch)
            context.events.normal(node, "NodeNotReady", "Node \(node.name) status is now: NodeNotReady")
            // The change comes back as an event; the taints follow from the newer object.
            return
        }
        if let taints = health.taints {
            let patch: JSONValue = [
                "metadata": ["resourceVersion": .string(node.metadata.resourceVersion ?? "")],
                "spec": ["taints": taints.isEmpty ? .null : try JSONValueEncoder().encode(taints)],
            ]
            let _: Node = try await context.client.patch(Node.self, namespace: nil, name: node.name, patch: patch)
            return
        }
        if silence < grace {
            queue.add(key, after: grace - silence)
        }
        try await evict(from: node)
    }

    /// Time since the node's lease last changed, or since the node was first seen.
    private func silence(of node: Node) -> Duration {
        let renewTime = context.informers.leases.store.get(Self.leaseNamespace, node.name)?.spec?.renewTime
        return signs.withLock { signs in
            let now = ContinuousClock.now
            guard let sign = signs[node.name], sign.renewTime == renewTime else {
                signs[node.name] = Sign(renewTime: renewTime, seen: now)
                return .zero
            }
            return sign.seen.duration(to: now)
        }
    }

    /// Deletes the node's pods whose patience with its `NoExecute` taints is over.
    private func evict(from node: Node) async throws {
        let taints = (node.spec?.taints ?? []).filter { $0.effect == "NoExecute" }
        guard !taints.isEmpty else { return }
        for pod in context.informers.pods.store.byIndex(PodView.byNode, node.name)
        where !pod.isBeingDeleted && !pod.isFinished {
            switch TaintPatience(pod: pod, taints: taints, now: .now) {
            case .unlimited:
                continue
            case .seconds(let seconds) where seconds > 0:
                queue.add(ObjectKey(namespace: nil, name: node.name), after: .seconds(seconds))
            case .seconds:
                context.events.normal(pod, "TaintManagerEviction", "Marking for deletion Pod \(pod.key)")
                try await context.client.delete(
                    Pod.self, namespace: pod.namespace, name: pod.name, uidPrecondition: pod.metadata.uid)
            }
        }
    }
}
