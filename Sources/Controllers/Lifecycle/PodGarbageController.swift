import KubernetesAPI
import KubernetesClient
import Logging

/// Removes pods of nodes that no longer exist: nobody else would report their end.
final class PodGarbageController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()

    /// Time for a node to register again, or for the cache to show it.
    private static let quarantine = Duration.seconds(10)

    init(context: ControllerContext) {
        self.context = context
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await self.context.informers.nodes.forEach { event in
                    guard case .deleted(let node) = event else { return }
                    self.queue.add(node.key, after: Self.quarantine)
                }
            }
            group.addTask {
                await self.context.informers.pods.forEach { event in
                    guard let node = event.object?.spec?.nodeName, !node.isEmpty,
                        self.context.informers.nodes.store.get(nil, node) == nil
                    else { return }
                    self.queue.add(ObjectKey(namespace: nil, name: node), after: Self.quarantine)
                }
            }
            group.addTask { await self.context.work(on: self.queue, name: "pod garbage", self.sync) }
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        guard context.informers.nodes.store.get(key) == nil else { return }
        let pods = context.informers.pods.store.byIndex(PodView.byNode, key.name)
        guard !pods.isEmpty else { return }
        do {
            _ = try await context.client.get(Node.self, namespace: nil, name: key.name)
            return
        } catch let error as StatusError where error.code == 404 {
            // The server confirms what the cache says.
        }
        for pod in pods {
            context.logger.info("removing a pod of a node that is gone", metadata: ["pod": "\(pod.key)"])
            do {
                try await context.client.delete(
                    Pod.self, namespace: pod.namespace, name: pod.name, gracePeriodSeconds: 0,
                    uidPrecondition: pod.metadata.uid)
            } catch let error as StatusError where error.code == 404 || error.code == 409 {
                // Gone, or another pod has its name by now.
            }
        }
    }
}
