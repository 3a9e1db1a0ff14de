import JSON
import KubernetesAPI
import KubernetesClient

/// Keeps one pod of every DaemonSet on every eligible node.
final class DaemonSetController: Controller {
    private let context: ControllerContext
    private let pods: PodOperations
    private let queue = WorkQueue<ObjectKey>()

    init(context: ControllerContext, pods: PodView) {
        self.context = context
        self.pods = PodOperations(context: context, view: pods)
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.daemonSets.feed(self.queue) }
            group.addTask {
                await self.context.informers.pods.forEach { event in
                    guard let owner = event.object?.metadata.controllerOwner, owner.kind == DaemonSet.resource.kind
                    else { return }
                    self.queue.add(ObjectKey(namespace: event.object?.metadata.namespace, name: owner.name))
                }
            }
            group.addTask { await self.context.informers.nodes.forEach(self.nodeChanged) }
            group.addTask { await self.context.work(on: self.queue, name: "daemon sets", workers: 2, self.sync) }
        }
    }

    private func nodeChanged(_ event: InformerEvent<Node>) {
        // Heartbeats change no eligibility.
        if let old = event.previous, let new = event.object, old.metadata.labels == new.metadata.labels,
            old.spec?.taints == new.spec?.taints
        {
            return
        }
        for set in context.informers.daemonSets.store.list() {
            queue.add(set.key)
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        guard let set = context.informers.daemonSets.store.get(key), let selector = set.spec?.selector else { return }
        let nodes = context.informers.nodes.store.list()
        let own = try await pods.claim(for: set, selector: selector)
        let plan = try DaemonSetPlan(set, nodes: nodes, pods: own, now: .now)
        try await pods.delete(plan.delete, for: set)
        try await pods.create(plan.create.map { try DaemonSetPlan.pod(of: set, for: $0) }, for: set)
        let after = try DaemonSetPlan(
            set, nodes: nodes, pods: pods.view.controlled(by: set.metadata.uid ?? ""), now: .now)
        if after.status != set.status {
            let _: DaemonSet = try await context.client.patch(
                DaemonSet.self, namespace: set.namespace, name: set.name, subresource: "status",
                patch: ["status": try JSONValueEncoder().encode(after.status)])
        }
        if let wait = after.nextAvailable {
            queue.add(key, after: .seconds(wait))
        }
    }
}
