import Linux

/// What of a cluster stands.
public struct ClusterStatus: Sendable, Hashable {
    /// One part of the cluster.
    public struct Part: Sendable, Hashable {
        /// Name of the process.
        public let name: String
        /// Its id; `nil` when it does not run.
        public let pid: Int32?
        /// Its resident memory in bytes; 0 when it does not run.
        public let residentBytes: Int
    }

    /// The cluster's description.
    public let summary: String
    /// Every process that the cluster consists of.
    public let parts: [Part]

    /// Whether every process runs.
    public var isComplete: Bool { parts.allSatisfy { $0.pid != nil } }

    /// A table with one line a process.
    public var text: String {
        let width = parts.map(\.name.count).max() ?? 0
        let lines = parts.map { part in
            let name = part.name + String(repeating: " ", count: width - part.name.count)
            guard let pid = part.pid else { return "\(name)  not running" }
            return "\(name)  running  pid \(pid)  \(part.residentBytes / 1_048_576) MiB"
        }
        return ([summary] + lines).joined(separator: "\n")
    }
}

extension LocalCluster {
    /// Looks at every part of the cluster that stands.
    public func status() throws -> ClusterStatus {
        guard let state = try ClusterState.load(paths) else {
            throw LocalClusterError("no cluster stands on this machine", remedy: "Make one with `duet up`.")
        }
        var processes = [server(state.spec)]
        for (index, name) in state.spec.nodes.enumerated() {
            let node = paths.node(name)
            processes += [containerd(node), nodeProcess(node, state.spec, index: index), agent(node, state.spec)]
        }
        return ClusterStatus(
            summary: state.spec.summary,
            parts: processes.map { process in
                let pid = process.runningID
                return ClusterStatus.Part(
                    name: process.name, pid: pid, residentBytes: pid.map(Self.residentBytes) ?? 0)
            })
    }

    private static func residentBytes(_ pid: Int32) -> Int {
        guard let text = try? FileSystem.readText("/proc/\(pid)/status"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return kibibytes * 1024
    }
}
