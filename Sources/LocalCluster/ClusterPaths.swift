/// Where a local cluster keeps its things.
///
/// What must outlive a reboot lies under `data`, what must not under `run`.
public struct ClusterPaths: Hashable, Sendable {
    /// Durable state: the API server's data, images, logs.
    public let data: String
    /// State of the running system: sockets, process ids, namespaces.
    public let run: String

    /// The machine's one local cluster.
    public static let standard = ClusterPaths(data: "/var/lib/duet", run: "/run/duet")

    /// The lock that one `duet up` or `duet down` holds; outside `run`, which `duet down` removes.
    var lockFile: String { "/run/duet.lock" }
    /// What was made, so that it can be recognised and removed.
    var stateFile: String { "\(data)/cluster.json" }
    /// The API server's data directory.
    public var server: String { "\(data)/server" }
    /// The administrator's kubeconfig.
    public var adminKubeconfig: String { "\(server)/admin.kubeconfig" }
    /// Directory of log files.
    public var logs: String { "\(data)/logs" }
    /// Directory of process id files.
    var processes: String { "\(run)/processes" }
    /// Directory of bound namespaces.
    var namespaces: String { "\(run)/namespaces" }

    /// The paths of one node.
    func node(_ name: String) -> NodePaths {
        NodePaths(name: name, data: "\(data)/nodes/\(name)", run: "\(run)/nodes/\(name)", namespaces: namespaces)
    }
}

/// Where one node keeps its things.
struct NodePaths: Hashable, Sendable {
    let name: String
    let data: String
    let run: String
    fileprivate let namespaces: String

    init(name: String, data: String, run: String, namespaces: String) {
        self.name = name
        self.data = data
        self.run = run
        self.namespaces = namespaces
    }

    var networkNamespace: String { "duet-\(name)" }
    var networkNamespaceFile: String { "/run/netns/duet-\(name)" }
    var mountNamespaceFile: String { "\(namespaces)/\(name)-mounts" }
    var kubeconfig: String { "\(data)/kubeconfig" }
    var containerdConfiguration: String { "\(data)/containerd.toml" }
    var containerdRoot: String { "\(data)/containerd" }
    var containerdState: String { "\(run)/containerd" }
    var containerdSocket: String { "\(run)/containerd.sock" }
    var cniConfDirectory: String { "\(data)/cni/net.d" }
    var cniBinDirectory: String { "\(data)/cni/bin" }
    var cniState: String { "\(data)/cni/state" }
    var pods: String { "\(data)/pods" }
    var loadedImages: String { "\(data)/images" }
}
