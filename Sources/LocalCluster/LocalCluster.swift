import Addresses
import Linux

/// A cluster of network namespaces on this machine: one control plane on the host, and nodes that each have a network
/// namespace, a containerd, and Duet's node and agent.
///
/// Everything is made by ensuring that it stands: a repeated `up` completes what a crash or a reboot left.
public struct LocalCluster: Sendable {
    /// Name of the underlay bridge.
    static let bridge = "duet0"
    /// Name of the control group that holds the pods.
    static let cgroup = "duet"
    /// Image of pod sandboxes.
    static let sandboxImage = "localhost/duet/pause:1"

    let paths: ClusterPaths
    let imageDirectory: String
    let duet: String
    let plugins: String
    let progress = Progress()

    /// Describes the machine's cluster; makes nothing.
    ///
    /// - Parameter imageDirectory: where image archives lie; by default `images` beside the executable.
    public init(imageDirectory: String? = nil, paths: ClusterPaths = .standard) throws {
        let executable = try FileSystem.readLink("/proc/self/exe")
        let directory = executable.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        self.paths = paths
        self.duet = executable
        self.plugins = "\(directory)/duet-cni"
        self.imageDirectory = imageDirectory ?? "\(directory)/images"
    }

    /// The path of the administrator's kubeconfig.
    public func adminKubeconfig() throws -> String {
        guard FileSystem.exists(paths.adminKubeconfig) else {
            throw LocalClusterError("no cluster stands on this machine", remedy: "Make one with `duet up`.")
        }
        return paths.adminKubeconfig
    }

    /// The file of a node's network namespace; nil when no such node stands.
    public func networkNamespace(of node: String) -> String? {
        let file = paths.node(node).networkNamespaceFile
        return FileSystem.exists(file) ? file : nil
    }

    /// The line that points `kubectl` at the cluster.
    public var nextSteps: String {
        "export KUBECONFIG=\(paths.adminKubeconfig)"
    }

    /// Runs `body` while no other `duet up` or `duet down` works.
    func exclusively<Value>(_ body: () async throws -> Value) async throws -> Value {
        guard let lock = try FileLock.attempt(paths.lockFile) else {
            throw LocalClusterError(
                "another `duet up` or `duet down` is at work on this machine", remedy: "Wait until it is done.")
        }
        let outcome: Result<Value, any Error>
        do {
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        // Where no cluster stands, nothing stays behind, the lock's file included.
        if !FileSystem.exists(paths.stateFile) { try FileSystem.remove(paths.lockFile) }
        lock.unlock()
        return try outcome.get()
    }

    func server(_ spec: ClusterSpec) -> ManagedProcess {
        ManagedProcess(
            name: "server", executable: duet,
            arguments: [
                "server", "--data-dir", paths.server,
                "--bind-address", spec.families.contains(.ipv6) ? "::" : "0.0.0.0",
                "--advertise-address", list(spec.hostAddresses.map(\.address)),
                "--secure-port", "\(spec.securePort)",
                "--service-cluster-ip-range", list(spec.serviceRanges),
                "--cluster-cidr", spec.needsPool ? "" : list(spec.podRanges),
            ] + crossFamily(spec), paths: paths)
    }

    func containerd(_ node: NodePaths) -> ManagedProcess {
        ManagedProcess(
            name: "\(node.name)-containerd", executable: "containerd",
            arguments: ["--config", node.containerdConfiguration], paths: paths, node: node)
    }

    func nodeProcess(_ node: NodePaths, _ spec: ClusterSpec, index: Int) -> ManagedProcess {
        ManagedProcess(
            name: "\(node.name)-node", executable: duet,
            arguments: [
                "node", "--kubeconfig", node.kubeconfig, "--node-name", node.name,
                "--node-ip", list(spec.nodeAddresses(index).map(\.address)),
                "--container-runtime-endpoint", "unix://\(node.containerdSocket)",
                "--root-dir", node.pods, "--cgroup-root", "/\(Self.cgroup)/\(node.name)",
                "--cni-conf-dir", node.cniConfDirectory, "--cni-bin-dir", node.cniBinDirectory,
            ], paths: paths, node: node)
    }

    func agent(_ node: NodePaths, _ spec: ClusterSpec) -> ManagedProcess {
        ManagedProcess(
            name: "\(node.name)-agent", executable: duet,
            arguments: [
                "agent", "--kubeconfig", node.kubeconfig, "--node-name", node.name,
                "--cni-conf-dir", node.cniConfDirectory, "--cni-bin-dir", node.cniBinDirectory,
                // The host asks the nodes, and is none of them.
                "--dns-allow", list(spec.underlayRanges),
            ]
                + (spec.connectTimeBalancing
                    ? ["--connect-time-balancing", "--connect-time-cgroup", "/\(Self.cgroup)/\(node.name)"] : [])
                + crossFamily(spec) + (spec.agentOptions ?? []),
            paths: paths, node: node)
    }

    /// What server and agents have to be told alike.
    private func crossFamily(_ spec: ClusterSpec) -> [String] {
        spec.crossFamilyServices ? ["--cross-family-services"] : []
    }

    private func list(_ items: [some CustomStringConvertible]) -> String {
        items.map(\.description).joined(separator: ",")
    }
}
