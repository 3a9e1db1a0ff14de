import Addresses
import KubernetesAPI
import KubernetesClient

/// Keeps the Service that reserves the addresses of the cluster's DNS; the nodes answer on them themselves.
final class ClusterDNSServiceController: Controller {
    private let context: ControllerContext
    private let queue = WorkQueue<ObjectKey>()

    private static let key = ObjectKey(namespace: "kube-system", name: "kube-dns")
    /// Place of the address in its range.
    private static let offset: UInt128 = 10

    init(context: ControllerContext) {
        self.context = context
    }

    func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await self.context.informers.namespaces.forEach { event in
                    if event.object?.name == Self.key.namespace {
                        self.queue.add(Self.key)
                    }
                }
            }
            group.addTask {
                await self.context.informers.services.forEach { event in
                    if event.object?.key == Self.key {
                        self.queue.add(Self.key)
                    }
                }
            }
            group.addTask { await self.context.work(on: self.queue, name: "cluster DNS service", self.sync) }
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        guard context.informers.services.store.get(key) == nil,
            context.informers.namespaces.store.get(nil, key.namespace)?.isBeingDeleted == false
        else { return }
        do {
            try await context.client.create(Self.service(context.configuration.serviceClusterIPRanges))
        } catch let error as StatusError where error.reason == "AlreadyExists" {
            // It is on its way into the cache.
        }
    }

    private static func service(_ ranges: [IPPrefix]) -> KubernetesAPI.Service {
        let addresses = ranges.compactMap { $0.address(at: offset)?.description }
        return KubernetesAPI.Service(
            metadata: ObjectMeta(
                name: key.name, namespace: key.namespace,
                labels: [
                    "k8s-app": "kube-dns", "kubernetes.io/name": "ClusterDNS",
                    WellKnownLabel.serviceProxyName: "cluster-dns",
                ]),
            spec: ServiceSpec(
                type: "ClusterIP",
                ports: [
                    ServicePort(name: "dns", protocol: "UDP", port: 53, targetPort: 53),
                    ServicePort(name: "dns-tcp", protocol: "TCP", port: 53, targetPort: 53),
                ],
                clusterIP: addresses.first, clusterIPs: addresses, ipFamilies: ranges.map(\.family.name),
                ipFamilyPolicy: "PreferDualStack"))
    }
}
