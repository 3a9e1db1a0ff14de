import JSON
import KubernetesAPI
import KubernetesClient

/// Empties namespaces that are being deleted, and lets them go when they are empty.
final class NamespaceDeletionController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>(minimumWait: .milliseconds(50), maximumWait: .seconds(5))

    private static let finalizer = "kubernetes"

    init(context: ControllerContext) {
        self.context = context
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await self.context.informers.namespaces.forEach { event in
                    if let namespace = event.object, namespace.isBeingDeleted {
                        self.queue.add(namespace.key)
                    }
                }
            }
            group.addTask {
                await self.context.informers.pods.forEach { event in
                    // Pods take longest to go; their end is the moment to look again.
                    if case .deleted(let pod) = event {
                        self.queue.add(ObjectKey(namespace: nil, name: pod.namespace))
                    }
                }
            }
            group.addTask { await self.context.work(on: self.queue, name: "namespace deletion", workers: 4, self.sync) }
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        guard let namespace = context.informers.namespaces.store.get(key), namespace.isBeingDeleted else { return }
        guard namespace.spec?.finalizers?.contains(Self.finalizer) ?? false else { return }
        var remaining: [String] = []
        for resource in Resource.all where resource.isNamespaced {
            let path = resource.path(namespace: namespace.name)
            try await context.client.request(.delete, path: path)
            let list = try await context.client.request(.get, path: path, query: [("limit", "1")])
            if list["items"]?.array?.isEmpty == false {
                remaining.append(resource.plural)
            }
        }
        guard remaining.isEmpty else {
            // Pods report their end; other objects wait for whoever holds a finalizer.
            queue.retry(key)
            return
        }
        do {
            // The whole object, since what is left out goes: others hold the namespace by finalizers in its metadata.
            var object = try await context.client.request(
                .get, path: Resource.namespaces.path(namespace: nil, name: namespace.name))
            guard object.at("metadata", "uid")?.string == namespace.metadata.uid else { return }
            let finalizers = object.at("spec", "finalizers")?.array ?? []
            object.set(.array(finalizers.filter { $0.string != Self.finalizer }), at: "spec", "finalizers")
            try await context.client.request(
                .put, path: Resource.namespaces.path(namespace: nil, name: namespace.name, subresource: "finalize"),
                body: object)
        } catch let error as StatusError where error.code == 404 {
            // Gone already.
        }
    }
}
