import JSON
import KubernetesAPI
import KubernetesClient

/// Moves Deployments step by step towards their templates.
final class DeploymentController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()

    init(context: ControllerContext) {
        self.context = context
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.deployments.feed(self.queue) }
            group.addTask {
                await self.context.informers.replicaSets.forEach { event in
                    guard let owner = event.object?.metadata.controllerOwner, owner.kind == Deployment.resource.kind
                    else { return }
                    self.queue.add(ObjectKey(namespace: event.object?.metadata.namespace, name: owner.name))
                }
            }
            group.addTask {
                await self.context.informers.pods.forEach { event in
                    // `Recreate` waits for the last old pod, which no ReplicaSet's status shows.
                    if case .deleted(let pod) = event {
                        self.podDeleted(pod)
                    }
                }
            }
            group.addTask { await self.context.work(on: self.queue, name: "deployments", workers: 4, self.sync) }
        }
    }

    private func podDeleted(_ pod: Pod) {
        guard let owner = pod.metadata.controllerOwner, owner.kind == ReplicaSet.resource.kind,
            let set = context.informers.replicaSets.store.get(pod.metadata.namespace, owner.name),
            let deployment = set.metadata.controllerOwner
        else { return }
        queue.add(ObjectKey(namespace: pod.metadata.namespace, name: deployment.name))
    }

    private func sync(_ key: ObjectKey) async throws {
        guard let deployment = context.informers.deployments.store.get(key) else { return }
        let sets = context.informers.replicaSets.store.byIndex(
            SharedInformers.byController, deployment.metadata.uid ?? "")
        let plan = DeploymentPlan(
            deployment, sets: sets, oldPodsRemain: oldPodsRemain(deployment, sets), now: .now)
        for action in plan.actions {
            try await perform(action, deployment, sets)
        }
        if plan.status != deployment.status {
            let _: Deployment = try await context.client.patch(
                Deployment.self, namespace: deployment.namespace, name: deployment.name, subresource: "status",
                patch: ["status": try JSONValueEncoder().encode(plan.status)])
        }
        if let seconds = plan.nextCheck {
            queue.add(key, after: .seconds(seconds + 1))
        }
    }

    private func oldPodsRemain(_ deployment: Deployment, _ sets: [ReplicaSet]) -> Bool {
        sets.contains { set in
            !PodTemplate.areEqual(set.spec?.template, deployment.spec?.template)
                && context.informers.pods.store.byIndex(PodView.byController, set.metadata.uid ?? "")
                    .contains { !$0.isFinished }
        }
    }

    private func perform(_ action: DeploymentPlan.Action, _ deployment: Deployment, _ sets: [ReplicaSet]) async throws {
        switch action {
        case .create(let set):
            try await create(set, for: deployment)
        case .change(let name, let replicas, let annotations):
            guard let set = sets.first(where: { $0.name == name }) else { return }
            var patch: JSONValue = [
                "metadata": [
                    "resourceVersion": .string(set.metadata.resourceVersion ?? ""),
                    "annotations": try JSONValueEncoder().encode(annotations),
                ]
            ]
            if let replicas {
                patch.set(.integer(Int64(replicas)), at: "spec", "replicas")
            }
            let _: ReplicaSet = try await context.client.patch(
                ReplicaSet.self, namespace: set.namespace, name: name, patch: patch)
            if let replicas {
                let before = set.spec?.replicas ?? 0
                context.events.normal(
                    deployment, "ScalingReplicaSet",
                    "Scaled \(replicas > before ? "up" : "down") replica set \(name) from \(before) to \(replicas)")
            }
        case .delete(let name):
            let uid = sets.first { $0.name == name }?.metadata.uid
            try await context.client.delete(
                ReplicaSet.self, namespace: deployment.namespace, name: name, uidPrecondition: uid)
        case .annotate(let annotations):
            let _: Deployment = try await context.client.patch(
                Deployment.self, namespace: deployment.namespace, name: deployment.name,
                patch: ["metadata": ["annotations": try JSONValueEncoder().encode(annotations)]])
        }
    }

    private func create(_ set: JSONValue, for deployment: Deployment) async throws {
        let name = set.at("metadata", "name")?.string ?? ""
        do {
            try await context.client.create(set, in: .replicaSets, namespace: deployment.metadata.namespace)
            let replicas = set.at("spec", "replicas")?.int ?? 0
            context.events.normal(
                deployment, "ScalingReplicaSet", "Scaled up replica set \(name) from 0 to \(replicas)")
        } catch let error as StatusError where error.reason == "AlreadyExists" {
            let present: ReplicaSet = try await context.client.get(
                ReplicaSet.self, namespace: deployment.metadata.namespace, name: name)
            let isOurs =
                present.metadata.isControlled(by: deployment.metadata.uid ?? "")
                && PodTemplate.areEqual(present.spec?.template, deployment.spec?.template)
            guard !isOurs else { return }
            // Another object has the name: the count changes the hash of the next attempt.
            let collisions = (deployment.status?.collisionCount ?? 0) + 1
            let _: Deployment = try await context.client.patch(
                Deployment.self, namespace: deployment.namespace, name: deployment.name, subresource: "status",
                patch: ["status": ["collisionCount": .integer(Int64(collisions))]])
            throw error
        }
    }
}
