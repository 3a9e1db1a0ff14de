internal import BPF
internal import Linux

/// A cgroup with the programs attached to it, and whose calls they lead.
struct ConnectTimeScope: Hashable, Sendable {
    /// The directory.
    let cgroup: String
    /// Whether calls from the node's network namespace are led.
    let servesNode: Bool
    /// Whether those from others are.
    let servesPods: Bool

    /// The names of the cgroups that hold all pods of a kubelet, with its two cgroup drivers.
    private static let podCgroups = ["kubepods.slice", "kubepods"]

    /// The cgroups to attach to; throws when there is none to serve.
    static func all(_ options: ConnectTimeOptions) throws -> [ConnectTimeScope] {
        let root = try Cgroup.mountPoint()
        if let own = options.cgroup {
            let path = root + (own.hasPrefix("/") ? "" : "/") + own
            guard FileSystem.exists(path) else { throw SystemError(.noEntry, "find cgroup", path) }
            return [ConnectTimeScope(cgroup: path, servesNode: true, servesPods: true)]
        }
        let candidates = podCgroups.map { "\(root)/\($0)" }
        guard let pods = candidates.first(where: FileSystem.exists) else {
            throw SystemError(.noEntry, "find the pods' cgroup", candidates.joined(separator: ", "))
        }
        return [
            ConnectTimeScope(cgroup: pods, servesNode: false, servesPods: true),
            ConnectTimeScope(cgroup: root, servesNode: true, servesPods: false),
        ]
    }

    /// The processes in the cgroup and those below it.
    var processes: [Int32] {
        var found: [Int32] = []
        var directories = [cgroup]
        // What goes away meanwhile needs no look.
        while let directory = directories.popLast() {
            let text = (try? FileSystem.readText("\(directory)/cgroup.procs")) ?? ""
            found += text.split(separator: "\n").compactMap { Int32($0) }
            for name in (try? FileSystem.list(directory)) ?? [] {
                let path = "\(directory)/\(name)"
                if (try? FileSystem.status(path, followLinks: false))?.kind == .directory { directories.append(path) }
            }
        }
        return found
    }
}
