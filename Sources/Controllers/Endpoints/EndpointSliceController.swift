import Addresses
import KubernetesAPI
import KubernetesClient

/// Publishes the pods of every Service as EndpointSlices, one set for each family.
final class EndpointSliceController: Controller {
    private let context: ControllerContext
    private let purpose: SlicePurpose
    private let selection: ServicePods
    private let queue = WorkQueue<ObjectKey>()
    private let writer: SliceWriter
    private let changes = ChangeTimes()

    init(context: ControllerContext, purpose: SlicePurpose = .everyone) {
        self.context = context
        self.purpose = purpose
        selection = ServicePods(informers: context.informers)
        writer = SliceWriter(client: context.client)
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.context.informers.services.feed(self.queue) }
            group.addTask {
                await self.context.informers.pods.forEach { self.selection.enqueue($0, into: self.queue) }
            }
            group.addTask {
                await self.context.informers.endpointSlices.forEach { event in
                    event.services(managedBy: self.purpose.manager).forEach { self.queue.add($0) }
                }
            }
            group.addTask { await self.context.informers.nodes.forEach(self.nodeChanged) }
            group.addTask { await self.context.informers.namespaces.forEach(self.namespaceChanged) }
            group.addTask { await self.context.work(on: self.queue, name: "endpoint slices", workers: 4, self.sync) }
        }
    }

    private func nodeChanged(_ event: InformerEvent<Node>) {
        guard let node = event.object else { return }
        for service in context.informers.services.store.byIndex(ServicePods.servicesWithTopology, "") {
            queue.add(service.key)
        }
        if let old = event.previous,
            old.metadata.labels?[WellKnownLabel.zone] == node.metadata.labels?[WellKnownLabel.zone]
        {
            return
        }
        for pod in context.informers.pods.store.byIndex(PodView.byNode, node.name) {
            selection.enqueue(.added(pod), into: queue)
        }
    }

    private func namespaceChanged(_ event: InformerEvent<Namespace>) {
        guard purpose == .translation, let namespace = event.object,
            event.previous?.wantsTranslation != namespace.wantsTranslation
        else { return }
        for service in context.informers.services.store.list(namespace: namespace.name) { queue.add(service.key) }
    }

    private func sync(_ key: ObjectKey) async throws {
        let store = context.informers.endpointSlices.store
        guard let service = context.informers.services.store.get(key),
            service.hasSelectedEndpoints || purpose == .translation
        else {
            // Slices of a Service that is gone go with it; those of one that lost its selector are left to the user.
            writer.forget(key)
            changes.forget(key)
            return
        }
        guard !service.isBeingDeleted else { return }
        if let patience = writer.patience(for: key, store) {
            queue.add(key, after: patience)
            return
        }
        let existing = store.byIndex(SharedInformers.byService, "\(key)").filter { $0.isManaged(by: purpose.manager) }
        guard isWanted(by: service) else {
            try await writer.write(delete: existing, for: key)
            return
        }
        let pods = selection.pods(of: service)
        let plan = EndpointSlicePlan(
            service, pods: pods, zones: zones(of: pods), existing: existing,
            topology: TopologyHints.areWanted(by: service)
                ? TopologyHints(nodes: context.informers.nodes.store.list()) : nil,
            purpose: purpose, changedAt: changes.next(service, pods: pods))
        tell(plan, service, hadHints: existing.filter(\.hasHints).map(\.addressType))
        try await writer.write(create: plan.create, update: plan.update, delete: plan.delete, for: key)
    }

    /// Whether a Service has slices for this purpose at all.
    private func isWanted(by service: KubernetesAPI.Service) -> Bool {
        guard purpose == .translation else { return true }
        let namespace = context.informers.namespaces.store.get(nil, service.namespace)
        return service.hasSelectedEndpoints && !service.isHeadless
            && service.wantsTranslation(in: namespace) ?? context.configuration.translatesAllServices
    }

    /// Reports on the Service whether its endpoints are shared out among zones.
    private func tell(_ plan: EndpointSlicePlan, _ service: KubernetesAPI.Service, hadHints: [String]) {
        guard purpose == .everyone else { return }
        for (family, refusal) in plan.topology {
            let suffix = ", addressType: \(family.name)"
            if let refusal {
                context.events.warning(service, "TopologyAwareHintsDisabled", refusal.message + suffix)
            } else if !hadHints.contains(family.name) {
                context.events.normal(
                    service, "TopologyAwareHintsEnabled", "Topology Aware Hints has been enabled" + suffix)
            }
        }
    }

    /// The zones of the pods' nodes, as far as these exist.
    private func zones(of pods: [Pod]) -> [String: String?] {
        var zones: [String: String?] = [:]
        for name in Set(pods.compactMap { $0.spec?.nodeName }) {
            guard let node = context.informers.nodes.store.get(nil, name) else { continue }
            zones.updateValue(node.metadata.labels?[WellKnownLabel.zone], forKey: name)
        }
        return zones
    }
}

extension EndpointSlice {
    /// True when some endpoint is for certain zones.
    fileprivate var hasHints: Bool { (endpoints ?? []).contains { $0.hints?.forZones != nil } }
}
