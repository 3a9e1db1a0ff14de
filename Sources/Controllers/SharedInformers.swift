import KubernetesAPI
import KubernetesClient
import Logging

/// One cache of each resource that the controllers follow.
struct SharedInformers: Sendable {
    let namespaces: Informer<Namespace>
    let nodes: Informer<Node>
    let pods: Informer<Pod>
    let services: Informer<KubernetesAPI.Service>
    let endpoints: Informer<Endpoints>
    let endpointSlices: Informer<EndpointSlice>
    let deployments: Informer<Deployment>
    let replicaSets: Informer<ReplicaSet>
    let daemonSets: Informer<DaemonSet>
    let leases: Informer<Lease>
    let addressPools: Informer<AddressPool>
    let nodeNetworks: Informer<NodeNetwork>
    let configMaps: Informer<ConfigMapMetadata>
    let secrets: Informer<SecretMetadata>
    let serviceAccounts: Informer<ServiceAccountMetadata>

    init(client: KubernetesClient, logger: Logger) {
        namespaces = Informer(client: client, logger: logger)
        nodes = Informer(client: client, logger: logger)
        pods = Informer(
            client: client,
            indexers: [
                PodView.byController: { $0.metadata.controllerOwner.map { [$0.uid] } ?? [] },
                PodView.byNode: { $0.spec?.nodeName.map { [$0] } ?? [] },
                ServicePods.podsByLabel: ServicePods.indexKeys,
                PodView.withoutController: { $0.metadata.controllerOwner == nil ? [$0.namespace] : [] },
            ], logger: logger)
        services = Informer(
            client: client,
            indexers: [
                ServicePods.servicesByLabel: ServicePods.indexKeys,
                ServicePods.servicesWithTopology: { TopologyHints.areWanted(by: $0) ? [""] : [] },
            ], logger: logger)
        endpoints = Informer(client: client, logger: logger)
        endpointSlices = Informer(
            client: client,
            indexers: [
                Self.byService: { slice in
                    slice.serviceKey.map { ["\($0)"] } ?? []
                }
            ], logger: logger)
        deployments = Informer(client: client, logger: logger)
        replicaSets = Informer(
            client: client,
            indexers: [Self.byController: { $0.metadata.controllerOwner.map { [$0.uid] } ?? [] }], logger: logger)
        daemonSets = Informer(client: client, logger: logger)
        leases = Informer(client: client, logger: logger)
        addressPools = Informer(client: client, logger: logger)
        nodeNetworks = Informer(client: client, logger: logger)
        configMaps = Informer(client: client, logger: logger)
        secrets = Informer(client: client, logger: logger)
        serviceAccounts = Informer(client: client, logger: logger)
    }

    /// Index of replica sets: UID of the controlling owner.
    static let byController = "controller"
    /// Index of slices: `namespace/name` of the Service.
    static let byService = "service"

    func start(in group: inout ThrowingTaskGroup<Void, any Error>) {
        group.addTask { try await namespaces.run() }
        group.addTask { try await nodes.run() }
        group.addTask { try await pods.run() }
        group.addTask { try await services.run() }
        group.addTask { try await endpoints.run() }
        group.addTask { try await endpointSlices.run() }
        group.addTask { try await deployments.run() }
        group.addTask { try await replicaSets.run() }
        group.addTask { try await daemonSets.run() }
        group.addTask { try await leases.run() }
        group.addTask { try await addressPools.run() }
        group.addTask { try await nodeNetworks.run() }
        group.addTask { try await configMaps.run() }
        group.addTask { try await secrets.run() }
        group.addTask { try await serviceAccounts.run() }
    }

    func waitForSync() async {
        await namespaces.waitForSync()
        await nodes.waitForSync()
        await pods.waitForSync()
        await services.waitForSync()
        await endpoints.waitForSync()
        await endpointSlices.waitForSync()
        await deployments.waitForSync()
        await replicaSets.waitForSync()
        await daemonSets.waitForSync()
        await leases.waitForSync()
        await addressPools.waitForSync()
        await nodeNetworks.waitForSync()
        await configMaps.waitForSync()
        await secrets.waitForSync()
        await serviceAccounts.waitForSync()
    }
}

/// The metadata of a ConfigMap, all that ownership needs.
struct ConfigMapMetadata: KubernetesObject {
    static var resource: Resource { .configMaps }
    var metadata: ObjectMeta
}

/// The metadata of a Secret, all that ownership needs.
struct SecretMetadata: KubernetesObject {
    static var resource: Resource { .secrets }
    var metadata: ObjectMeta
}

/// The metadata of a ServiceAccount, all that ownership needs.
struct ServiceAccountMetadata: KubernetesObject {
    static var resource: Resource { .serviceAccounts }
    var metadata: ObjectMeta
}

extension EndpointSlice {
    /// The Service whose endpoints these are.
    var serviceKey: ObjectKey? {
        let labels = metadata.labels ?? [:]
        return (labels[WellKnownLabel.serviceName] ?? labels[WellKnownLabel.translatedServiceName])
            .map { ObjectKey(namespace: metadata.namespace, name: $0) }
    }
}

extension Informer {
    /// Calls a function with every change until the task is cancelled.
    func forEach(_ body: @Sendable (InformerEvent<T>) -> Void) async {
        for await event in events() {
            body(event)
        }
    }

    /// Adds the key of every changed object to a queue until the task is cancelled.
    func feed(_ queue: WorkQueue<ObjectKey>) async {
        await forEach { event in
            if let object = event.object {
                queue.add(object.key)
            }
        }
    }
}

extension InformerEvent {
    /// The newest state of the object concerned.
    var object: T? {
        switch self {
        case .added(let object), .updated(_, let object), .deleted(let object): object
        case .synced: nil
        }
    }

    /// The state before the change, where there was one.
    var previous: T? {
        switch self {
        case .updated(let old, _): old
        default: nil
        }
    }
}
