import JSON
import KubernetesAPI
import KubernetesClient

/// Keeps the rules of ClusterRoles with an `aggregationRule` those of the roles that it selects.
final class RoleAggregationController: Controller {
    private let context: ControllerContext
    private let roles: Informer<ClusterRole>
    private let queue = WorkQueue<ObjectKey>()

    init(context: ControllerContext) {
        self.context = context
        roles = Informer(client: context.client, logger: context.logger)
    }

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.roles.run() }
            await roles.waitForSync()
            group.addTask { await self.roles.forEach(self.changed) }
            group.addTask { await self.context.work(on: self.queue, name: "role aggregation", self.sync) }
            try await group.waitForAll()
        }
    }

    /// Marks the roles that collect the changed one, now or before.
    private func changed(_ event: InformerEvent<ClusterRole>) {
        let states = [event.object, event.previous].compactMap { $0 }
        for role in roles.store.list() where role.aggregationRule != nil {
            if states.contains(where: { role.collects($0) || role.name == $0.name }) { queue.add(role.key) }
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        guard let role = roles.store.get(key), role.aggregationRule != nil, !role.isBeingDeleted else { return }
        let rules = role.collectedRules(from: roles.store.list())
        guard rules != role.rules ?? [] else { return }
        let _: ClusterRole = try await context.client.patch(
            ClusterRole.self, namespace: nil, name: role.name, patch: ["rules": .array(rules)])
    }
}
