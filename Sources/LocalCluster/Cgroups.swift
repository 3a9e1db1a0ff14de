import Linux

/// The control groups of a cluster's pods, in every hierarchy that the machine has.
struct Cgroups {
    /// Name of the group below each hierarchy's root.
    let name: String

    /// Makes the group in the v2 hierarchy, if the machine has it, so that programs can be attached before the first pod.
    func ensureUnified() throws {
        guard let mount = try Mount.list().first(where: { $0.type == "cgroup2" }) else { return }
        try FileSystem.makeDirectory("\(mount.target)/\(name)")
    }

    /// Processes in the group and below it.
    func processes() throws -> Set<Int32> {
        var found: Set<Int32> = []
        for group in try groups() {
            guard let text = try? FileSystem.readText("\(group)/cgroup.procs") else { continue }
            found.formUnion(text.split(separator: "\n").compactMap { Int32($0) })
        }
        return found
    }

    /// Removes the group and everything below it; no process is left in them.
    func remove() throws {
        // Children come after their parents in the listing.
        for group in try groups().reversed() {
            try FileSystem.remove(group)
        }
    }

    private func groups() throws -> [String] {
        var groups: [String] = []
        // One hierarchy may be mounted on another: the place is looked at once.
        let mounts = try Mount.list().filter { $0.type == "cgroup" || $0.type == "cgroup2" }
        for target in Set(mounts.map(\.target)) {
            let root = "\(target)/\(name)"
            if FileSystem.exists(root) { try collect(root, into: &groups) }
        }
        return groups
    }

    private func collect(_ group: String, into groups: inout [String]) throws {
        groups.append(group)
        for entry in try FileSystem.list(group) {
            let path = "\(group)/\(entry)"
            if try FileSystem.status(path).kind == .directory { try collect(path, into: &groups) }
        }
    }
}
