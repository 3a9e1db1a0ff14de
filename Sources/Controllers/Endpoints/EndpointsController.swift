import KubernetesAPI
import KubernetesClient

/// Publishes the pods of every Service as Endpoints, for clients that know nothing newer.
final class EndpointsController: Controller {
    private let context: ControllerContext
    private let selection: ServicePods
    private let queue = WorkQueue<ObjectKey>()
    private let changes = ChangeTimes()

    init(context: ControllerContext) {
        self.context = context
        selection = ServicePods(informers: context.informers)
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.services.feed(self.queue) }
            group.addTask {
                await self.context.informers.pods.forEach { self.selection.enqueue($0, into: self.queue) }
            }
            group.addTask { await self.context.informers.endpoints.feed(self.queue) }
            group.addTask { await self.context.work(on: self.queue, name: "endpoints", workers: 4, self.sync) }
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        let existing = context.informers.endpoints.store.get(key)
        guard let service = context.informers.services.store.get(key) else {
            changes.forget(key)
            if let existing, existing.isManaged {
                try await context.client.delete(
                    Endpoints.self, namespace: key.namespace, name: key.name, uidPrecondition: existing.metadata.uid)
            }
            return
        }
        guard service.hasSelectedEndpoints, !service.isBeingDeleted else { return }
        let pods = selection.pods(of: service)
        let changedAt = changes.next(service, pods: pods)
        var desired = EndpointsPlan.endpoints(service, pods: pods, existing: existing)
        guard desired != existing else { return }
        desired.metadata.annotations = ChangeTimes.annotations(desired.metadata.annotations, with: changedAt)
        if existing == nil {
            try await context.client.create(desired)
        } else {
            try await context.client.update(desired)
        }
    }
}

extension Endpoints {
    /// True when the endpoints controller wrote the object.
    var isManaged: Bool {
        metadata.labels?[EndpointsPlan.managedBy] == "endpoint-controller"
    }
}
