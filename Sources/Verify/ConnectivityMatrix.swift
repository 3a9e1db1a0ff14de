internal import Addresses
internal import KubernetesAPI
public import KubernetesClient

/// Asks every Service of a cluster for an answer, on each of its families, from the host and from a pod on
/// each node.
public struct ConnectivityMatrix: Sendable {
    /// What is asked, and how patiently.
    public struct Configuration: Sendable {
        /// The namespaces whose Services are asked; empty means all.
        public var namespaces: Set<String> = []
        /// The domain of the cluster's names.
        public var clusterDomain = "cluster.local"
        /// The namespace of the pods that requests are made from.
        public var clientNamespace = "web"
        /// The label selector of these pods.
        public var clientSelector = "app=client"
        /// The namespace of the Service of the cluster's DNS.
        public var dnsNamespace = "kube-system"
        /// The name of that Service.
        public var dnsService = "kube-dns"
        /// Seconds after which a request counts as failed.
        public var timeoutSeconds = 3
        /// How many requests are under way at a time.
        public var parallelRequests = 8

        /// The defaults of a Duet cluster with the dual-stack example.
        public init() {}
    }

    private let client: KubernetesClient
    private let configuration: Configuration

    /// Makes a matrix of the cluster that `client` speaks to.
    public init(client: KubernetesClient, configuration: Configuration = Configuration()) {
        self.client = client
        self.configuration = configuration
    }

    /// Makes every request and returns the results in the order of the plan.
    /// - Parameter progress: called after each request with how many are done, and how many there are.
    public func run(
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [ProbeResult] {
        let services = try await client.list(Service.self, namespace: nil).items
        let dns = services.first {
            $0.metadata.namespace == configuration.dnsNamespace && $0.metadata.name == configuration.dnsService
        }
        let objects = ClusterObjects(
            services: services.filter {
                configuration.namespaces.isEmpty || configuration.namespaces.contains($0.metadata.namespace ?? "")
            },
            slices: try await client.list(EndpointSlice.self, namespace: nil).items,
            nodes: try await client.list(Node.self, namespace: nil).items,
            clients: try await client.list(
                Pod.self, namespace: configuration.clientNamespace, labelSelector: configuration.clientSelector
            ).items)
        let probes = ProbePlan(objects: objects, clusterDomain: configuration.clusterDomain).probes()
        let host = HostProber(
            nameServers: IPFamily.allCases.compactMap { dns?.clusterAddress(of: $0) },
            timeoutSeconds: configuration.timeoutSeconds)
        let pods = PodProber(client: client, timeoutSeconds: configuration.timeoutSeconds)
        return await withTaskGroup(of: (Int, ProbeResult).self) { group in
            var results: [ProbeResult?] = Array(repeating: nil, count: probes.count)
            var pending = probes.enumerated().makeIterator()
            func startNext() {
                guard let (index, probe) = pending.next() else { return }
                group.addTask {
                    switch probe.from {
                    case .host: (index, await host.perform(probe))
                    case .pod: (index, await pods.perform(probe))
                    }
                }
            }
            for _ in 0..<configuration.parallelRequests { startNext() }
            var done = 0
            for await (index, result) in group {
                results[index] = result
                done += 1
                progress(done, probes.count)
                startNext()
            }
            return results.compactMap(\.self)
        }
    }
}
