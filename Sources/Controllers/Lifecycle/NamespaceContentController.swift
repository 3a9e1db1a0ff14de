import JSON
import KubernetesAPI
import KubernetesClient
import Synchronization

/// Keeps in every namespace what pods rely on: the `default` account and the cluster's CA certificate.
final class NamespaceContentController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()
    /// Namespaces whose certificate this process has written: an older one may stem from another CA.
    private let written = Mutex<Set<String>>([])

    private static let account = "default"
    private static let certificates = "kube-root-ca.crt"

    init(context: ControllerContext) {
        self.context = context
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.namespaces.feed(self.queue) }
            group.addTask {
                await self.context.informers.serviceAccounts.forEach { event in
                    if case .deleted(let account) = event, account.name == Self.account {
                        self.enqueue(account.namespace)
                    }
                }
            }
            group.addTask {
                await self.context.informers.configMaps.forEach { event in
                    guard let map = event.object, map.name == Self.certificates else { return }
                    switch event {
                    case .deleted, .updated:
                        self.written.withLock { _ = $0.remove(map.namespace) }
                        self.enqueue(map.namespace)
                    case .added, .synced:
                        break
                    }
                }
            }
            group.addTask { await self.context.work(on: self.queue, name: "namespace content", workers: 2, self.sync) }
        }
    }

    private func enqueue(_ namespace: String) {
        queue.add(ObjectKey(namespace: nil, name: namespace))
    }

    private func sync(_ key: ObjectKey) async throws {
        guard let namespace = context.informers.namespaces.store.get(key), !namespace.isBeingDeleted else { return }
        if context.informers.serviceAccounts.store.get(key.name, Self.account) == nil {
            try await create(
                ServiceAccount(metadata: ObjectMeta(name: Self.account, namespace: key.name)))
        }
        guard let authority = context.client.configuration.certificateAuthority,
            !written.withLock({ $0.contains(key.name) })
        else { return }
        let data = ["ca.crt": String(decoding: authority, as: UTF8.self)]
        if context.informers.configMaps.store.get(key.name, Self.certificates) == nil {
            try await create(
                ConfigMap(metadata: ObjectMeta(name: Self.certificates, namespace: key.name), data: data))
        } else {
            let present: ConfigMap = try await context.client.get(
                ConfigMap.self, namespace: key.name, name: Self.certificates)
            if present.data != data {
                let _: ConfigMap = try await context.client.patch(
                    ConfigMap.self, namespace: key.name, name: Self.certificates,
                    patch: ["data": try JSONValueEncoder().encode(data)])
            }
        }
        written.withLock { _ = $0.insert(key.name) }
    }

    private func create(_ object: some KubernetesObject) async throws {
        do {
            try await context.client.create(object)
        } catch let error as StatusError where error.reason == "AlreadyExists" || error.isNamespaceTerminating {
            // Another writer was faster, or the namespace has begun to go.
        }
    }
}
