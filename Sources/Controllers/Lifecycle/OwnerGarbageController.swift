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

    private func follow<T: KubernetesObject>(_ informer: Informer<T>) async {
        await informer.forEach { event in
            guard let object = event.object else { return }
            let vertex = OwnerGraph.Vertex(object)
            // A deletion waits for its dependents to end, or to be let go.
            var concerned: Set<String> = [vertex.uid]
            concerned.formUnion(vertex.owners.map(\.uid))
            concerned.formUnion(event.previous?.metadata.ownerReferences?.map(\.uid) ?? [])
            if case .deleted = event {
                graph.withLock { graph in
                    concerned.formUnion(graph.dependents(of: vertex.uid))
                    graph.remove(vertex.uid)
                }
            } else {
                // Status changes, the bulk of all events, change no ownership.
                if let old = event.previous, OwnerGraph.Vertex(old) == vertex {
                    return
                }
                graph.withLock { $0.insert(vertex) }
            }
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
        case .verify:
            try await settle(vertex)
        case .deleteDependents(let dependents):
            for dependent in dependents {
                try await settle(dependent)
            }
        case .orphan(let dependents):
            for dependent in dependents {
                try await release(dependent, from: [vertex.uid])
            }
        case .removeFinalizer(let finalizer):
            try await patch(
                vertex, ["finalizers": .array(vertex.finalizers.filter { $0 != finalizer }.map { .string($0) })])
        }
    }

    /// What the server knows of an owner.
    private enum OwnerState {
        /// It exists and stays, or is of a kind that is not this server's to judge.
        case solid
        /// It waits for its dependents to be deleted.
        case waiting
        /// There is no such object.
        case gone
    }

    /// Deletes an object that has no owner to stay with; one that has is only let go by the others.
    private func settle(_ vertex: OwnerGraph.Vertex) async throws {
        var lost: [String] = []
        var isAwaited = false
        for owner in vertex.owners {
            switch try await state(of: owner, vertex) {
            case .solid: continue
            case .waiting: isAwaited = true
            case .gone: break
            }
            lost.append(owner.uid)
        }
        guard lost.count == vertex.owners.count else {
            if !lost.isEmpty { try await release(vertex, from: lost) }
            return
        }
        try await delete(vertex, propagation: isAwaited ? .foreground : .background)
    }

    /// Asks the server, because a cache may lag behind.
    private func state(of owner: OwnerReference, _ vertex: OwnerGraph.Vertex) async throws -> OwnerState {
        guard let resource = Resource.all.first(where: { $0.kind == owner.kind && $0.apiVersion == owner.apiVersion })
        else { return .solid }
        let namespace = resource.isNamespaced ? vertex.key.namespace : nil
        do {
            let present = try await context.client.request(
                .get, path: resource.path(namespace: namespace, name: owner.name))
            guard present.at("metadata", "uid")?.string == owner.uid else { return .gone }
            let isWaiting =
                present.at("metadata", "deletionTimestamp") != nil
                && present.at("metadata", "finalizers")?.array?.contains(.string(OwnerGraph.foreground)) ?? false
            return isWaiting ? .waiting : .solid
        } catch let error as StatusError where error.code == 404 {
            return .gone
        }
    }

    /// Takes owners out of an object, whatever other owners it gets meanwhile.
    private func release(_ vertex: OwnerGraph.Vertex, from owners: [String]) async throws {
        let doomed = owners.map { ["$patch": "delete", "uid": .string($0)] as JSONValue }
        try await patch(vertex, ["ownerReferences": .array(doomed)], .strategic)
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

    private func patch(
        _ vertex: OwnerGraph.Vertex, _ metadata: JSONValue, _ type: PatchType = .merge
    ) async throws {
        var metadata = metadata
        metadata["uid"] = .string(vertex.uid)
        let path = vertex.resource.path(
            namespace: vertex.key.namespace.isEmpty ? nil : vertex.key.namespace, name: vertex.key.name)
        do {
            try await context.client.request(
                .patch, path: path, body: ["metadata": metadata], contentType: type.rawValue)
        } catch let error as StatusError where error.code == 404 {
            // Gone already.
        }
    }
}
