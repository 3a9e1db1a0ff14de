import APIServer
import Addresses
import KubernetesAPI
import KubernetesClient
import Linux
import RouteNetlink

extension LocalCluster {
    /// Brings the cluster up, or completes the one that stands; returns when every node is ready.
    public func up(_ spec: ClusterSpec) async throws {
        try Preflight.checkRoot()
        try Preflight.checkPrograms()
        try Preflight.checkKernel(spec.families)
        try await exclusively {
            let archives = try ImageLoader.archives(in: imageDirectory)
            guard FileSystem.exists(plugins) else {
                throw LocalClusterError("\(plugins) does not exist", remedy: "Build it with `make build`.")
            }
            var state = try adopt(spec)
            try checkHost(spec)
            try makeDirectories(&state)
            try makeNetwork(spec, &state)
            try await start(spec, archives: archives)
            try await waitUntilReady(spec)
        }
    }

    /// The state of the cluster to complete: what stands when it fits, or a new one.
    private func adopt(_ spec: ClusterSpec) throws -> ClusterState {
        guard var state = try ClusterState.load(paths) else { return try ClusterState(spec: spec) }
        let differences = state.spec.differences(from: spec)
        guard differences.isEmpty else {
            throw LocalClusterError(
                "a different cluster stands: \(state.spec.summary); it differs in "
                    + differences.joined(separator: ", "),
                remedy: "Remove it with `duet down`, or repeat its options. Nodes may only be added.")
        }
        state.spec = spec
        let bootID = try ClusterState.currentBootID()
        if state.bootID != bootID {
            progress.step("The machine was restarted; bringing the cluster back")
            state.bootID = bootID
            state.sysctls = [:]
            state.madeNamespaceMount = false
        }
        return state
    }

    private func checkHost(_ spec: ClusterSpec) throws {
        var socket = try RouteSocket()
        let names = Dictionary(try socket.links().map { ($0.index, $0.name) }) { first, _ in first }
        var used: [HostPrefix] = []
        for address in try socket.addresses() where !address.address.address.isLinkLocalUnicast {
            used.append(HostPrefix(prefix: address.address.prefix, interface: names[address.interface] ?? "?"))
        }
        for family in IPFamily.allCases {
            for route in try socket.routes(family) where !route.destination.first.isLinkLocalUnicast {
                guard route.table == Route.mainTable, let interface = route.interface else { continue }
                used.append(HostPrefix(prefix: route.destination, interface: names[interface] ?? "?"))
            }
        }
        try spec.checkAgainstHost(used, ownInterfaces: [Self.bridge])
    }

    private func makeDirectories(_ state: inout ClusterState) throws {
        for directory in NodeNamespaces.hiddenDirectories where !FileSystem.exists(directory) {
            state.directories.append(directory)
        }
        let isMounted = try Mount.list().contains { $0.target == NetworkNamespace.directory }
        if !isMounted { state.madeNamespaceMount = true }
        try state.save(paths)
        for directory in NodeNamespaces.hiddenDirectories + [
            paths.server, paths.logs, paths.processes, paths.namespaces,
        ] {
            try FileSystem.makeDirectory(directory, mode: 0o755, intermediate: true)
        }
    }

    private func makeNetwork(_ spec: ClusterSpec, _ state: inout ClusterState) throws {
        progress.step("Network: bridge \(Self.bridge), \(spec.nodes.count) nodes")
        let underlay = Underlay(spec: spec, bridge: Self.bridge)
        try underlay.ensureBridge()
        for (index, name) in spec.nodes.enumerated() {
            let node = paths.node(name)
            try NodeNamespaces(node: node).ensure()
            try underlay.ensureLink(of: node, index: index)
        }
        try HostForwarding(spec: spec, bridge: Self.bridge).ensure(&state, paths)
    }

    private func start(_ spec: ClusterSpec, archives: [String]) async throws {
        // All containerds start first: they take longest, and the rest is done meanwhile.
        var started: [String] = []
        let nodes = spec.nodes.map(paths.node)
        for node in nodes {
            try write(containerdConfiguration: node)
            if try containerd(node).ensureRunning() { started.append("\(node.name)-containerd") }
            try installPlugins(node)
        }
        let pki = try ClusterPKI(dataDirectory: paths.server)
        if try server(spec).ensureRunning() { started.append("server") }
        for (index, node) in nodes.enumerated() where !FileSystem.exists(node.kubeconfig) {
            let kubeconfig = try pki.issueKubeconfig(
                user: "system:node:\(node.name)", groups: ["system:nodes"], serverURL: spec.serverURL,
                addresses: spec.nodeAddresses(index).map(\.address), names: [node.name])
            try FileSystem.writeFileAtomically(node.kubeconfig, Array(kubeconfig.utf8), mode: 0o600)
        }
        progress.step(started.isEmpty ? "Every process runs" : "Started \(started.joined(separator: ", "))")
        try await waitForServer(spec)
        try await ensurePool(spec)
        try await loadImages(nodes, archives)
        for (index, node) in nodes.enumerated() {
            if spec.connectTimeBalancing { try Cgroups(name: "\(Self.cgroup)/\(node.name)").ensureUnified() }
            try agent(node, spec).ensureRunning()
            try nodeProcess(node, spec, index: index).ensureRunning()
        }
    }

    /// Writes the pool that nodes' blocks come from, where the server's flags cannot say it; one that is there stays as it is.
    private func ensurePool(_ spec: ClusterSpec) async throws {
        guard spec.needsPool else { return }
        let pool = AddressPool(
            metadata: ObjectMeta(name: AddressPool.defaultName),
            spec: AddressPoolSpec(
                purpose: AddressPoolSpec.pods, prefixes: spec.podRanges.map { AddressPoolPrefix(cidr: $0.description) },
                blockSize: AddressBlockSize(
                    ipv4: spec.families.contains(.ipv4) ? spec.nodeBlockLength(.ipv4) : nil,
                    ipv6: spec.families.contains(.ipv6) ? spec.nodeBlockLength(.ipv6) : nil)))
        try await withClient(try administrator()) { client in
            do {
                try await client.create(pool)
            } catch let error as StatusError where error.code == 409 {
                return
            }
        }
    }

    private func write(containerdConfiguration node: NodePaths) throws {
        let configuration = ContainerdConfiguration(
            root: node.containerdRoot, state: node.containerdState, socket: node.containerdSocket,
            cniBinDirectory: node.cniBinDirectory, cniConfDirectory: node.cniConfDirectory,
            sandboxImage: Self.sandboxImage, restrictsOOMScoreAdjustment: !Preflight.hasResourceCapability)
        try FileSystem.writeFileAtomically(node.containerdConfiguration, Array(configuration.text.utf8))
    }

    private func installPlugins(_ node: NodePaths) throws {
        let output = try ChildProcess.output(
            of: ChildProcess.Specification(
                executable: plugins, arguments: ["--install", node.cniBinDirectory]))
        guard output.status.isSuccess else {
            throw LocalClusterError(
                "installing the plugins for \(node.name) failed: "
                    + output.errorText.split(separator: "\n").joined(separator: "\n  "))
        }
    }

    private func loadImages(_ nodes: [NodePaths], _ archives: [String]) async throws {
        for node in nodes {
            try await wait(for: containerd(node), toAnswer: "its socket") {
                FileSystem.exists(node.containerdSocket)
            }
        }
        let loaders = try nodes.map { ImageLoader(node: $0, archives: archives) }.filter { try !$0.isLoaded }
        if !loaders.isEmpty {
            progress.step("Loading images into \(loaders.map(\.node.name).joined(separator: ", "))")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for loader in loaders { group.addTask { try loader.load() } }
            try await group.waitForAll()
        }
    }
}
