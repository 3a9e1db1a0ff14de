import KubernetesAPI
import Linux

/// The control group that a pod's containers share.
struct PodCgroup: Sendable {
    /// Path below the root of each hierarchy.
    let path: String

    init(pod: Pod, parent: String) {
        path = "\(parent.hasPrefix("/") ? "" : "/")\(parent)/pod\(pod.metadata.uid ?? "")"
    }

    /// Removes the group from every hierarchy; the runtime has removed those of the containers in it.
    func remove() {
        guard let mounts = try? Mount.list() else { return }
        for mount in mounts where mount.type == "cgroup" || mount.type == "cgroup2" {
            // A group that holds a process still is not removed; the next start of the node tries again.
            try? FileSystem.remove(mount.target + path)
        }
    }
}

extension ResolverConfiguration {
    /// The content of a file; empty when there is none.
    static func read(_ path: String) -> ResolverConfiguration {
        ResolverConfiguration(parsing: (try? FileSystem.readText(path)) ?? "")
    }
}
