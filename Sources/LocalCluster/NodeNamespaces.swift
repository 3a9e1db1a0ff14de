import Linux

/// A node's network and mount namespaces.
///
/// The mount namespace hides from the host what containerd mounts, and gives the node directories of its own where
/// programs have fixed paths.
struct NodeNamespaces {
    let node: NodePaths

    /// Creates what is missing; tells whether the mount namespace is new.
    func ensure() throws {
        if !FileSystem.exists(node.networkNamespaceFile) {
            _ = try NetworkNamespace.create(name: node.networkNamespace)
        }
        for directory in [
            node.data, node.run, node.containerdRoot, node.containerdState, node.cniConfDirectory,
            node.cniBinDirectory, node.cniState, node.pods, node.loadedImages,
        ] {
            try FileSystem.makeDirectory(directory, mode: 0o755, intermediate: true)
        }
        guard !isMounted else { return }
        let namespace = try MountNamespace.create(at: node.mountNamespaceFile)
        try namespace.run {
            try Mount.tmpfs(at: NetworkNamespace.directory)
            for (path, own) in privateDirectories {
                try Mount.bind(own, at: path)
            }
            if FileSystem.exists(Self.hosts) {
                try Mount.bind(try ownHosts(), at: Self.hosts)
            }
        }
    }

    private static let hosts = "/etc/hosts"

    /// The machine's hosts with `localhost` in both families: where ports are forwarded, containerd looks it up.
    private func ownHosts() throws -> String {
        let path = "\(node.run)/hosts"
        let text = try FileSystem.readText(Self.hosts) + "\n127.0.0.1 localhost\n::1 localhost\n"
        try FileSystem.writeFile(path, Array(text.utf8), mode: 0o644)
        return path
    }

    /// Whether the mount namespace stands.
    var isMounted: Bool {
        (try? MountNamespace.open(path: node.mountNamespaceFile).descriptor.rawValue) != nil
    }

    /// Fixed paths that a node has for itself, and what is there instead.
    private var privateDirectories: [(path: String, own: String)] {
        [("/var/lib/cni", node.cniState), ("/run/containerd", node.containerdState)]
    }

    /// Host directories that must exist to be hidden.
    static let hiddenDirectories = ["/var/lib/cni", "/run/containerd", NetworkNamespace.directory]

    /// Removes both namespaces; the processes in them are gone by now.
    func remove() throws {
        if FileSystem.exists(node.mountNamespaceFile) {
            try MountNamespace.delete(at: node.mountNamespaceFile)
        }
        if FileSystem.exists(node.networkNamespaceFile) {
            try NetworkNamespace.delete(name: node.networkNamespace)
        }
    }
}
