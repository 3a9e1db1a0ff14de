import JSON
import KubernetesAPI
import KubernetesClient
import Synchronization

/// Binds pods to nodes.
final class SchedulerController: Controller {
    private struct State {
        var cluster = ClusterState()
        /// Pods that fitted nowhere, to be tried again when the cluster changes in their favour.
        var unschedulable: Set<ObjectKey> = []
        /// Pods whose binding is on its way; the cache does not show it yet.
        var binding: Set<ObjectKey> = []
    }

    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>(minimumWait: .milliseconds(5), maximumWait: .seconds(5))
    private let state = Mutex(State())

    init(context: ControllerContext) {
        self.context = context
    }

    func run() async {
        // What is taken must be known before the first decision.
        state.withLock { state in
            for node in context.informers.nodes.store.list() {
                state.cluster.setNode(node)
            }
            for pod in context.informers.pods.store.list() {
                if let node = pod.spec?.nodeName, !node.isEmpty, !pod.isFinished {
                    state.cluster.place(pod, on: node)
                }
            }
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.nodes.forEach(self.nodeChanged) }
            group.addTask { await self.context.informers.pods.forEach(self.podChanged) }
            // Decisions are made one at a time under the lock; only the requests run side by side.
            group.addTask { await self.context.work(on: self.queue, name: "scheduler", workers: 8, self.schedule) }
        }
    }

    private func nodeChanged(_ event: InformerEvent<Node>) {
        guard let node = event.object else { return }
        let mayHelp: Bool
        if case .deleted = event {
            state.withLock { $0.cluster.removeNode(node.name) }
            mayHelp = false
        } else {
            state.withLock { $0.cluster.setNode(node) }
            mayHelp = event.previous.map { !Self.isSameForScheduling($0, node) } ?? true
        }
        if mayHelp {
            retryUnschedulable()
        }
    }

    /// Heartbeats change a node often and schedule nothing.
    private static func isSameForScheduling(_ left: Node, _ right: Node) -> Bool {
        left.spec?.taints == right.spec?.taints && left.spec?.unschedulable == right.spec?.unschedulable
            && left.metadata.labels == right.metadata.labels
            && left.status?.allocatable == right.status?.allocatable
    }

    private func podChanged(_ event: InformerEvent<Pod>) {
        guard let pod = event.object else { return }
        var isGone = pod.isFinished
        if case .deleted = event {
            isGone = true
        }
        let node = pod.spec?.nodeName ?? ""
        if isGone {
            state.withLock { state in
                state.cluster.removePod(pod.key)
                state.unschedulable.remove(pod.key)
                state.binding.remove(pod.key)
            }
            retryUnschedulable()
        } else if !node.isEmpty {
            state.withLock { state in
                state.unschedulable.remove(pod.key)
                state.binding.remove(pod.key)
                // Status changes do not move a pod, and its demands are fixed once it is bound.
                if state.cluster.node(of: pod.key) != node || event.previous == nil {
                    state.cluster.place(pod, on: node)
                }
            }
        } else {
            let isWaiting = state.withLock { $0.unschedulable.contains(pod.key) }
            // The condition that we wrote ourselves is no reason to try again.
            if !isWaiting || event.previous?.spec != pod.spec {
                queue.add(pod.key)
            }
        }
    }

    private func retryUnschedulable() {
        let keys = state.withLock { state in
            defer { state.unschedulable = [] }
            return state.unschedulable
        }
        for key in keys {
            queue.add(key)
        }
    }

    private func schedule(_ key: ObjectKey) async throws {
        guard let pod = context.informers.pods.store.get(key), pod.spec?.nodeName ?? "" == "", !pod.isBeingDeleted,
            !pod.isFinished, pod.spec?.schedulerName ?? "default-scheduler" == "default-scheduler"
        else { return }
        let choice = state.withLock { state -> ClusterState.Choice? in
            guard !state.binding.contains(key) else { return nil }
            let choice = state.cluster.choose(for: pod)
            switch choice {
            case .node(let node):
                state.cluster.place(pod, on: node)
                state.binding.insert(key)
            case .unschedulable:
                state.unschedulable.insert(key)
            }
            return choice
        }
        switch choice {
        case nil:
            return
        case .unschedulable(let message):
            try await report(message, on: pod)
        case .node(let node):
            do {
                try await bind(pod, to: node)
            } catch {
                state.withLock { state in
                    state.cluster.removePod(key)
                    state.binding.remove(key)
                }
                throw error
            }
            context.events.normal(pod, "Scheduled", "Successfully assigned \(key) to \(node)")
        }
    }

    private func bind(_ pod: Pod, to node: String) async throws {
        let binding: JSONValue = [
            "apiVersion": "v1", "kind": "Binding",
            "metadata": [
                "name": .string(pod.name), "namespace": .string(pod.namespace),
                "uid": .string(pod.metadata.uid ?? ""),
            ],
            "target": ["apiVersion": "v1", "kind": "Node", "name": .string(node)],
        ]
        try await context.client.request(
            .post, path: Resource.pods.path(namespace: pod.namespace, name: pod.name, subresource: "binding"),
            body: binding)
    }

    private func report(_ message: String, on pod: Pod) async throws {
        context.events.warning(pod, "FailedScheduling", message)
        var conditions = pod.status?.conditions ?? []
        guard
            conditions.set(
                "PodScheduled", "False", reason: "Unschedulable", message: message, at: "\(Timestamp.now)"),
            let condition = conditions["PodScheduled"]
        else { return }
        let patch: JSONValue = ["status": ["conditions": [try JSONValueEncoder().encode(condition)]]]
        let _: Pod = try await context.client.patch(
            Pod.self, namespace: pod.namespace, name: pod.name, subresource: "status", patch: patch, type: .strategic)
    }
}
