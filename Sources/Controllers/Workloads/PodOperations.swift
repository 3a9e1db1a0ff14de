import JSON
import KubernetesAPI
import KubernetesClient

/// Creates and deletes pods for workloads, with events and without doing anything twice.
struct PodOperations: Sendable {
    let context: ControllerContext
    let view: PodView

    /// Largest number of requests that run side by side.
    private static let width = 16

    /// Creates pods, first one, then twice as many in each round, so that a lasting refusal costs few requests.
    ///
    /// In a namespace that is being deleted nothing can be created, and nothing need be.
    func create(_ pods: [JSONValue], for owner: some KubernetesObject) async throws {
        let namespace = context.informers.namespaces.store.get(nil, owner.namespace)
        guard namespace?.isBeingDeleted != true else { return }
        var rest = pods[...]
        var width = 1
        while !rest.isEmpty {
            let batch = rest.prefix(width)
            rest = rest.dropFirst(width)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for pod in batch {
                    group.addTask { try await create(pod, for: owner) }
                }
                try await group.waitForAll()
            }
            width = min(width * 2, Self.width)
        }
    }

    private func create(_ pod: JSONValue, for owner: some KubernetesObject) async throws {
        do {
            let created = try Pod(
                json: try await context.client.create(pod, in: .pods, namespace: owner.metadata.namespace))
            view.created(created)
            context.events.normal(owner, "SuccessfulCreate", "Created pod: \(created.name)")
        } catch let error as StatusError where error.isNamespaceTerminating {
            // The cache has not heard of it yet.
        } catch let error as StatusError {
            context.events.warning(owner, "FailedCreate", "Error creating: \(error.message)")
            throw error
        }
    }

    /// Deletes pods; those that are gone already count as deleted.
    func delete(_ pods: [Pod], for owner: some KubernetesObject) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for pod in pods {
                group.addTask {
                    do {
                        try await context.client.delete(
                            Pod.self, namespace: pod.namespace, name: pod.name, uidPrecondition: pod.metadata.uid)
                        context.events.normal(owner, "SuccessfulDelete", "Deleted pod: \(pod.name)")
                    } catch let error as StatusError where error.code == 404 || error.code == 409 {
                        // Gone, or another pod has its name by now.
                    }
                    view.deleted(pod)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Makes a workload the controller of pods that its selector matches and nobody controls, and lets go of its own
    /// that the selector no longer matches; returns the pods that are its own afterwards.
    func claim(for owner: some KubernetesObject, selector: LabelSelector) async throws -> [Pod] {
        let uid = owner.metadata.uid ?? ""
        var pods: [Pod] = []
        for pod in view.controlled(by: uid) {
            if selector.matches(pod.metadata.labels ?? [:]) || pod.isBeingDeleted {
                pods.append(pod)
            } else {
                let references = (pod.metadata.ownerReferences ?? []).filter { $0.uid != uid }
                _ = try await setOwners(references, of: pod)
            }
        }
        guard !owner.isBeingDeleted else { return pods }
        for pod in context.informers.pods.store.byIndex(PodView.withoutController, owner.namespace)
        where pod.isActive && selector.matches(pod.metadata.labels ?? [:]) {
            let references = (pod.metadata.ownerReferences ?? []) + [owner.controllerReference]
            let adopted = try await setOwners(references, of: pod)
            view.created(adopted)
            pods.append(adopted)
        }
        return pods
    }

    private func setOwners(_ references: [OwnerReference], of pod: Pod) async throws -> Pod {
        let patch: JSONValue = [
            "metadata": [
                "uid": .string(pod.metadata.uid ?? ""),
                "resourceVersion": .string(pod.metadata.resourceVersion ?? ""),
                "ownerReferences": try JSONValueEncoder().encode(references),
            ]
        ]
        return try await context.client.patch(Pod.self, namespace: pod.namespace, name: pod.name, patch: patch)
    }
}

extension StatusError {
    /// True when the namespace takes no new objects because it is being deleted.
    var isNamespaceTerminating: Bool {
        code == 403 && details?.causes.contains { $0.reason == "NamespaceTerminating" } ?? false
    }
}
