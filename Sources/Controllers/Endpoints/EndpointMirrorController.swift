import KubernetesAPI
import KubernetesClient

/// Mirrors Endpoints that users keep for Services without selector into EndpointSlices.
final class EndpointMirrorController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()
    private let expectations = SliceExpectations()

    init(context: ControllerContext) {
        self.context = context
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.endpoints.feed(self.queue) }
            group.addTask { await self.context.informers.services.feed(self.queue) }
            group.addTask {
                await self.context.informers.endpointSlices.forEach { event in
                    if let slice = event.object, slice.isManaged(by: EndpointMirrorPlan.manager),
                        let key = slice.serviceKey
                    {
                        self.queue.add(key)
                    }
                }
            }
            group.addTask { await self.context.work(on: self.queue, name: "endpoint mirroring", self.sync) }
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        let store = context.informers.endpointSlices.store
        if let patience = expectations.patience(for: key, store) {
            queue.add(key, after: patience)
            return
        }
        let existing = store.byIndex(SharedInformers.byService, "\(key)")
            .filter { $0.isManaged(by: EndpointMirrorPlan.manager) }
        guard let endpoints = context.informers.endpoints.store.get(key), isMirrored(endpoints) else {
            try await delete(existing)
            return
        }
        let plan = EndpointMirrorPlan(endpoints, existing: existing)
        if !plan.invalid.isEmpty {
            context.events.warning(
                endpoints, "InvalidIPAddress",
                "Skipped \(plan.invalid.count) invalid IP addresses when mirroring to EndpointSlices")
        }
        if plan.skipped > 0 {
            context.events.warning(
                endpoints, "TooManyAddressesToMirror",
                "A max of \(EndpointMirrorPlan.capacity) addresses can be mirrored to EndpointSlices per Endpoints subset. \(plan.skipped) addresses were skipped"
            )
        }
        for slice in plan.create {
            expectations.expect(try await context.client.create(slice), for: key)
        }
        for slice in plan.update {
            expectations.expect(try await context.client.update(slice), for: key)
        }
        try await delete(plan.delete)
    }

    private func delete(_ slices: [EndpointSlice]) async throws {
        for slice in slices where !slice.isBeingDeleted {
            do {
                try await context.client.delete(
                    EndpointSlice.self, namespace: slice.namespace, name: slice.name,
                    uidPrecondition: slice.metadata.uid)
            } catch let error as StatusError where error.code == 404 {
                // Gone already.
            }
        }
    }

    private func isMirrored(_ endpoints: Endpoints) -> Bool {
        guard !endpoints.isManaged, !endpoints.isBeingDeleted,
            endpoints.metadata.labels?[WellKnownLabel.skipMirror] != "true",
            endpoints.metadata.annotations?["control-plane.alpha.kubernetes.io/leader"] == nil,
            let service = context.informers.services.store.get(endpoints.key)
        else { return false }
        return service.spec?.selector == nil && service.spec?.type != "ExternalName"
    }
}
