import JSON
import KubernetesAPI
import KubernetesClient

/// Keeps the number of pods of every ReplicaSet.
final class ReplicaSetController: Controller {
    private let context: ControllerContext
    private let pods: PodOperations
    private let queue = WorkQueue<ObjectKey>()

    init(context: ControllerContext, pods: PodView) {
        self.context = context
        self.pods = PodOperations(context: context, view: pods)
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.replicaSets.feed(self.queue) }
            group.addTask { await self.context.informers.pods.forEach(self.podChanged) }
            group.addTask { await self.context.work(on: self.queue, name: "replica sets", workers: 4, self.sync) }
        }
    }

    private func podChanged(_ event: InformerEvent<Pod>) {
        guard let pod = event.object else { return }
        if case .deleted = event {
            pods.view.forget(pod)
        }
        let owners = [pod.metadata.controllerOwner, event.previous?.metadata.controllerOwner]
        for case let owner? in owners where owner.kind == ReplicaSet.resource.kind {
            queue.add(ObjectKey(namespace: pod.metadata.namespace, name: owner.name))
        }
        if pod.metadata.controllerOwner == nil, pod.isActive {
            for set in context.informers.replicaSets.store.list(namespace: pod.namespace)
            where set.spec?.selector?.matches(pod.metadata.labels ?? [:]) ?? false {
                queue.add(set.key)
            }
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        guard let set = context.informers.replicaSets.store.get(key), let selector = set.spec?.selector else { return }
        let own = try await pods.claim(for: set, selector: selector)
        let plan = ReplicaSetPlan(set, pods: own, now: .now)
        var failure: StatusError?
        do {
            if plan.create > 0, let template = set.spec?.template {
                let pod = try PodTemplate.pod(from: template, owner: set)
                try await pods.create(Array(repeating: pod, count: plan.create), for: set)
            }
            try await pods.delete(plan.delete, for: set)
        } catch let error as StatusError {
            failure = error
        }
        let counted = pods.view.controlled(by: set.metadata.uid ?? "")
        let now = Timestamp.now
        try await writeStatus(ReplicaSetPlan(set, pods: counted, now: now), of: set, failure: failure, now: now)
        if let wait = plan.counts.nextAvailable {
            queue.add(key, after: .seconds(wait))
        }
        if let failure {
            throw failure
        }
    }

    private func writeStatus(_ plan: ReplicaSetPlan, of set: ReplicaSet, failure: StatusError?, now: Timestamp)
        async throws
    {
        var status = set.status ?? ReplicaSetStatus()
        status.replicas = plan.counts.active
        status.fullyLabeledReplicas = plan.fullyLabeled
        status.readyReplicas = plan.counts.ready
        status.availableReplicas = plan.counts.available
        status.observedGeneration = set.metadata.generation
        var conditions = status.conditions ?? []
        if let failure {
            conditions.set(
                "ReplicaFailure", "True", reason: "FailedCreate", message: failure.message, at: "\(now)")
        } else {
            conditions.removeAll { $0.type == "ReplicaFailure" }
        }
        status.conditions = conditions.isEmpty ? nil : conditions
        guard status != set.status else { return }
        var json = try JSONValueEncoder().encode(status)
        if status.conditions == nil {
            json["conditions"] = .null
        }
        let _: ReplicaSet = try await context.client.patch(
            ReplicaSet.self, namespace: set.namespace, name: set.name, subresource: "status",
            patch: ["status": json])
    }
}
