import KubernetesAPI
import KubernetesClient
import Linux

/// Keeps the logs of running containers from filling the disk.
struct LogRotation: Sendable {
    /// Size at which a log is put aside, in bytes.
    let limit: Int64
    /// Number of files that are kept of one instance, the current one included.
    let count: Int

    /// Puts an instance's log aside if it is too large, and removes the oldest of those put aside.
    func rotate(_ path: String, containerID: String, runtime: CRIRuntime) async throws {
        guard let size = try? FileSystem.status(path).size, size > limit else { return }
        let aside = "\(path).\(Timestamp.now.seconds)"
        try FileSystem.rename(path, to: aside)
        do throws(RuntimeError) {
            try await runtime.reopenLog(containerID)
        } catch {
            // The runtime still writes to the old file: it stays the current one.
            try FileSystem.rename(aside, to: path)
            throw error
        }
        for old in Self.aside(path).dropLast(count - 1) {
            try FileSystem.remove(old)
        }
    }

    /// The files put aside for a log, the oldest first.
    static func aside(_ path: String) -> [String] {
        guard let slash = path.lastIndex(of: "/") else { return [] }
        let directory = path[..<slash]
        let name = path[path.index(after: slash)...]
        return ((try? FileSystem.list(String(directory))) ?? [])
            .filter { $0.hasPrefix("\(name).") }
            .map { "\(directory)/\($0)" }
    }
}

extension PodDirectories {
    /// Removes what an instance that is gone has written.
    func removeLogs(container: String, attempt: Int) {
        let path = log(container: container, attempt: attempt)
        for file in LogRotation.aside(path) + [path, terminationLog(container: container, attempt: attempt)] {
            // A file that cannot be removed now goes with the pod's directory.
            try? FileSystem.remove(file)
        }
    }
}
