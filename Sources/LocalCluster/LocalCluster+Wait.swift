import Addresses
import KubernetesAPI
import KubernetesClient
import Linux
import Verify

extension LocalCluster {
    /// How long a part may take to come up.
    private static let patience = Duration.seconds(60)

    /// Waits until `condition` holds; fails at once when the process ends before.
    func wait(
        for process: ManagedProcess, toAnswer what: String, until condition: () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + Self.patience
        while try await !condition() {
            try process.checkRunning()
            guard ContinuousClock.now < deadline else {
                throw LocalClusterError(
                    "\(process.name) runs but does not answer (\(what)):\n\(process.lastLogLines)",
                    remedy: "Its log is \(process.logFile).")
            }
            ManagedProcess.pause()
        }
    }

    /// Waits until the API server answers its administrator.
    func waitForServer(_ spec: ClusterSpec) async throws {
        let server = server(spec)
        try await wait(for: server, toAnswer: "its kubeconfig") { FileSystem.exists(paths.adminKubeconfig) }
        try await withClient(try administrator()) { client in
            try await wait(for: server, toAnswer: "requests") {
                (try? await client.get(Namespace.self, namespace: nil, name: "kube-system")) != nil
            }
        }
    }

    /// Waits until every node is ready and its names are answered, then sets the host's routes to their pods.
    func waitUntilReady(_ spec: ClusterSpec) async throws {
        try await withClient(try administrator()) { client in
            let deadline = ContinuousClock.now + Self.patience
            var waiting = Set(spec.nodes)
            while !waiting.isEmpty {
                let nodes = try await client.list(Node.self).items
                let prober = try await nameServers(client)
                for node in nodes where node.isReady {
                    let name = node.metadata.name ?? ""
                    if waiting.contains(name), try answersNames(paths.node(name), prober) { waiting.remove(name) }
                }
                guard !waiting.isEmpty else {
                    try Underlay(spec: spec, bridge: Self.bridge).routeFromHost(to: nodes)
                    break
                }
                for (index, name) in spec.nodes.enumerated() {
                    let paths = paths.node(name)
                    try containerd(paths).checkRunning()
                    try agent(paths, spec).checkRunning()
                    try nodeProcess(paths, spec, index: index).checkRunning()
                }
                guard ContinuousClock.now < deadline else {
                    throw LocalClusterError(
                        "not ready: \(waiting.sorted().joined(separator: ", "))",
                        remedy: "The logs are in \(self.paths.logs); `kubectl describe node` says why.")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        progress.step("Ready: \(spec.nodes.joined(separator: ", "))")
    }

    /// Asks the addresses of the cluster's DNS, which each node answers on by itself.
    private func nameServers(_ client: KubernetesClient) async throws -> HostProber {
        do {
            let service = try await client.get(KubernetesAPI.Service.self, namespace: "kube-system", name: "kube-dns")
            let addresses = (service.spec?.clusterIPs ?? []).compactMap { IPAddress($0) }
            return HostProber(nameServers: addresses, timeoutSeconds: 1)
        } catch let error as StatusError where error.code == 404 {
            return HostProber(nameServers: [], timeoutSeconds: 1)
        }
    }

    /// Whether the node's agent answers names; a node may be ready while its agent has only just been restarted.
    private func answersNames(_ node: NodePaths, _ prober: HostProber) throws -> Bool {
        guard !prober.nameServers.isEmpty else { return false }
        return try NetworkNamespace.open(path: node.networkNamespaceFile).run {
            prober.nameServersAnswer("kubernetes.default.svc.cluster.local")
        }
    }

    /// A client with the administrator's rights.
    func administrator() throws -> KubernetesClient {
        try KubernetesClient(
            configuration: ClientConfiguration(kubeconfigPath: paths.adminKubeconfig), userAgent: "duet-up")
    }

    /// Runs `body` with a client and closes it, whatever happens.
    func withClient(_ client: KubernetesClient, _ body: (KubernetesClient) async throws -> Void) async throws {
        do {
            try await body(client)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }
}
