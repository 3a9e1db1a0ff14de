import JSON
import KubernetesAPI
import KubernetesClient
import Synchronization

/// Deletes objects whose owners are gone, and carries out foreground and orphaning deletions.
final class OwnerGarbageController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<String>()
    private let graph = Mutex(OwnerGraph())

    init(context: ControllerContext) {
        self.context = context
    }

    func run() async {
        let informers = context.informers
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.follow(informers.namespaces) }
            group.addTask { await self.follow(informers.nodes) }
            group.addTask { await self.follow(informers.pods) }
            group.addTask { await self.follow(informers.services) }
            group.addTask { await self.follow(informers.endpoints) }
            group.addTask { await self.follow(informers.endpointSlices) }
            group.addTask { await self.follow(informers.deployments) }
            group.addTask { await self.follow(informers.replicaSets) }
            group.addTask { await self.follow(informers.daemonSets) }
            group.addTask { await self.follow(informers.leases) }
            group.addTask { await self.follow(informers.configMaps) }
            group.addTask { await self.follow(informers.secrets) }
            group.addTask { await self.follow(informers.serviceAccounts) }
            group.addTask { await self.context.work(on: self.queue, name: "owner garbage", workers: 8, self.sync) }
        }
    }

    private func follow<T>(_ informer: Informer<T>) async {
        await informer.forEach { event in
            guard let object = event.object else { return }
            let vertex = OwnerGraph.Vertex(object)
            var concerned: Set<String> = [vertex.uid]
            if case .deleted = event {
                graph.withLock { graph in
                    concerned = graph.dependents(of: vertex.uid)
                    graph.remove(vertex.uid)
                }
            } else {
                // Status changes, the bulk of all events, change no ownership.
                if let old = event.previous, OwnerGraph.Vertex(old) == vertex {
                    return
                }
                graph.withLock { $0.insert(vertex) }
            }
            // A foreground deletion waits for its dependents' end.
            concerned.formUnion(vertex.owners.map(\.uid))
            for uid in concerned {
                queue.add(uid)
            }
        }
    }

    private func sync(_ uid: String) async throws {
        let (step, vertex) = graph.withLock { ($0.step(for: uid), $0.vertex(uid)) }
        guard let vertex else { return }
        switch step {
        case .none:
            return
        case .verify(let owners):
            try await verify(vertex, owners)
        case .deleteDependents(let dependents):
            for dependent in dependents {
                try await delete(dependent, propagation: .foreground)
            }
        case .orphan(let dependents):
            for dependent in dependents {
                let owners = dependent.owners.filter { $0.uid != vertex.uid }
                try await patch(dependent, ["ownerReferences": try JSONValueEncoder().encode(owners)])
            }
        case .removeFinalizer(let finalizer):
            try await patch(
                vertex, ["finalizers": .array(vertex.finalizers.filter { $0 != finalizer }.map { .string($0) })])
        }
    }

    /// Asks the server for the owners, because a cache may lag behind; deletes the object when none exists.
    private func verify(_ vertex: OwnerGraph.Vertex, _ owners: [OwnerReference]) async throws {
        for owner in owners {
            guard
                let resource = Resource.all.first(where: { $0.kind == owner.kind && $0.apiVersion == owner.apiVersion })
            else {
                // An owner of a kind that this server does not know is none of ours to judge.
                return
            }
            let namespace = resource.isNamespaced ? vertex.key.namespace : nil
            do {
                let present = try await context.client.request(
                    .get, path: resource.path(namespace: namespace, name: owner.name))
                let isWaiting =
                    present.at("metadata", "deletionTimestamp") != nil
                    && present.at("metadata", "finalizers")?.array?.contains(.string(OwnerGraph.foreground)) ?? false
                if present.at("metadata", "uid")?.string == owner.uid {
                    guard isWaiting else { return }
                    try await delete(vertex, propagation: .foreground)
                    return
                }
            } catch let error as StatusError where error.code == 404 {
                continue
            }
        }
        try await delete(vertex, propagation: .background)
    }

    private func delete(_ vertex: OwnerGraph.Vertex, propagation: PropagationPolicy) async throws {
        do {
            try await context.client.delete(
                vertex.resource, namespace: vertex.key.namespace.isEmpty ? nil : vertex.key.namespace,
                name: vertex.key.name, propagation: propagation, uidPrecondition: vertex.uid)
        } catch let error as StatusError where error.code == 404 || error.code == 409 {
            // Gone, or another object has its name by now.
        }
    }

    private func patch(_ vertex: OwnerGraph.Vertex, _ metadata: JSONValue) async throws {
        var metadata = metadata
        metadata["uid"] = .string(vertex.uid)
        let path = vertex.resource.path(
            namespace: vertex.key.namespace.isEmpty ? nil : vertex.key.namespace, name: vertex.key.name)
        do {
            try await context.client.request(
                .patch, path: path, body: ["metadata": metadata], contentType: PatchType.merge.rawValue)
        } catch let error as StatusError where error.code == 404 {
            // Gone already.
        }
    }
}
