import Glibc
import Linux
import NodeTranslation
import RouteNetlink
import ServiceProxy

extension LocalCluster {
    /// Removes everything that `up` made, whatever state it is in; nothing there is no error.
    public func down() async throws {
        try Preflight.checkRoot()
        try await exclusively {
            // An unreadable state file must not keep the rest from being removed.
            let state = (try? ClusterState.load(paths)) ?? nil
            try stopProcesses()
            try removeNodes()
            try Underlay.removeBridge(Self.bridge)
            try HostForwarding.remove()
            try Cgroups(name: Self.cgroup).remove()
            if let state { try restoreHost(state) }
            try unmountOwnDirectories()
            try removeDirectory(paths.run)
            try removeDirectory(paths.data)
        }
        progress.step("Nothing of the cluster is left")
    }

    private func stopProcesses() throws {
        let files = FileSystem.exists(paths.processes) ? try FileSystem.list(paths.processes) : []
        if !files.isEmpty { progress.step("Stopping \(files.joined(separator: ", "))") }
        // Nodes and agents first, so that none of them acts on what disappears; containerds last.
        for kind in ["-node", "-agent", "server", "-containerd"] {
            let idFiles = files.filter { $0.hasSuffix(kind) }.map { "\(paths.processes)/\($0)" }
            try ManagedProcess.stop(idFiles: idFiles, patience: .seconds(3))
        }
        try endPods()
    }

    /// Ends what containerd left running: the containers, and their shims, which live in the nodes' mount namespaces.
    private func endPods() throws {
        let cgroups = Cgroups(name: Self.cgroup)
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            let left = try cgroups.processes().union(processesInMountNamespaces())
            if left.isEmpty { return }
            guard ContinuousClock.now < deadline else {
                throw LocalClusterError(
                    "these processes do not end: \(left.sorted().map(String.init).joined(separator: " "))",
                    remedy: "See /proc/<id>/stack for what they wait for, then repeat `duet down`.")
            }
            for pid in left { try ManagedProcess.end(pid, with: SIGKILL) }
            ManagedProcess.pause()
        }
    }

    private func processesInMountNamespaces() throws -> Set<Int32> {
        guard FileSystem.exists(paths.namespaces) else { return [] }
        let namespaces = try FileSystem.list(paths.namespaces).map {
            try FileSystem.status("\(paths.namespaces)/\($0)")
        }
        let own = try FileSystem.status("/proc/self/ns/mnt")
        var found: Set<Int32> = []
        for process in try ProcessInformation.all() where process.state != "Z" {
            guard let theirs = try? FileSystem.status("/proc/\(process.pid)/ns/mnt"), theirs.inode != own.inode,
                namespaces.contains(where: { $0.inode == theirs.inode && $0.device == theirs.device })
            else { continue }
            found.insert(process.pid)
        }
        return found
    }

    private func removeNodes() throws {
        var names: Set<String> = []
        for directory in ["\(paths.run)/nodes", "\(paths.data)/nodes"] where FileSystem.exists(directory) {
            names.formUnion(try FileSystem.list(directory))
        }
        for name in names.sorted() {
            let node = paths.node(name)
            if FileSystem.exists(node.networkNamespaceFile) {
                try NetworkNamespace.open(path: node.networkNamespaceFile).run {
                    _ = try ConnectTimeBalancer.removeLeftovers()
                    // Their pods have ended.
                    try TranslationLeftovers.remove(insidePods: false)
                }
            }
            try NodeNamespaces(node: node).remove()
        }
    }

    private func restoreHost(_ state: ClusterState) throws {
        for (name, value) in state.sysctls where Sysctl.exists(name) {
            try Sysctl.set(name, value)
        }
        if state.madeNamespaceMount, FileSystem.exists(NetworkNamespace.directory),
            try FileSystem.list(NetworkNamespace.directory).isEmpty
        {
            for _ in try Mount.list().filter({ $0.target == NetworkNamespace.directory }) {
                try Mount.unmount(NetworkNamespace.directory)
            }
        }
        for directory in state.directories.reversed() where FileSystem.exists(directory) {
            // Somebody else's files in it are a reason to keep it.
            if try FileSystem.list(directory).isEmpty { try FileSystem.remove(directory) }
        }
    }

    /// Removes a directory; of one that the user has given a file system of its own, what is in it.
    private func removeDirectory(_ path: String) throws {
        guard try Mount.list().contains(where: { $0.target == path }) else { return try FileSystem.removeTree(path) }
        for name in try FileSystem.list(path) where name != "lost+found" {
            try FileSystem.removeTree("\(path)/\(name)")
        }
    }

    private func unmountOwnDirectories() throws {
        for mount in try Mount.list().reversed()
        where mount.target.hasPrefix("\(paths.run)/") || mount.target.hasPrefix("\(paths.data)/") {
            try Mount.unmount(mount.target)
        }
    }
}
