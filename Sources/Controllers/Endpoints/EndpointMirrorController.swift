import KubernetesAPI
import KubernetesClient

/// Mirrors Endpoints that users keep for Services without selector into EndpointSlices.
final class EndpointMirrorController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()
    private let writer: SliceWriter

    init(context: ControllerContext) {
        self.context = context
        writer = SliceWriter(client: context.client)
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.endpoints.feed(self.queue) }
            group.addTask { await self.context.informers.services.feed(self.queue) }
            group.addTask {
                await self.context.informers.endpointSlices.forEach { event in
                    event.services(managedBy: EndpointMirrorPlan.manager).forEach { self.queue.add($0) }
                }
            }
            group.addTask { await self.context.work(on: self.queue, name: "endpoint mirroring", self.sync) }
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        let store = context.informers.endpointSlices.store
        if let patience = writer.patience(for: key, store) {
            queue.add(key, after: patience)
            return
        }
        let existing = store.byIndex(SharedInformers.byService, "\(key)")
            .filter { $0.isManaged(by: EndpointMirrorPlan.manager) }
        guard let endpoints = context.informers.endpoints.store.get(key), isMirrored(endpoints) else {
            writer.forget(key)
            try await writer.write(delete: existing, for: key)
            return
        }
        let plan = EndpointMirrorPlan(endpoints, existing: existing)
        tell(plan, endpoints)
        do {
            try await writer.write(create: plan.create, update: plan.update, delete: plan.delete, for: key)
        } catch let error as StatusError {
            context.events.warning(
                endpoints, "FailedToUpdateEndpointSlices",
                "Error updating EndpointSlices for Endpoints \(key): \(error.message)")
            throw error
        }
    }

    /// Reports on the Endpoints what the slices leave out.
    private func tell(_ plan: EndpointMirrorPlan, _ endpoints: Endpoints) {
        if plan.invalid > 0 {
            context.events.warning(
                endpoints, "InvalidIPAddress",
                "Skipped \(plan.invalid) invalid IP addresses when mirroring to EndpointSlices")
        }
        if plan.skipped > plan.invalid {
            context.events.warning(
                endpoints, "TooManyAddressesToMirror",
                "A max of \(EndpointMirrorPlan.capacity) addresses can be mirrored to EndpointSlices per Endpoints subset. \(plan.skipped) addresses were skipped"
            )
        }
    }

    /// Whether a user keeps the Endpoints, for a Service that names no pods and for others than its own leader election.
    private func isMirrored(_ endpoints: Endpoints) -> Bool {
        guard !endpoints.isManaged, !endpoints.isBeingDeleted, EndpointMirrorPlan.isWanted(endpoints),
            let service = context.informers.services.store.get(endpoints.key)
        else { return false }
        return service.spec?.selector == nil
    }
}
