import JSON
import Linux

/// What stands and what was changed on the host, written before the change so that a crash leaves no secret.
struct ClusterState: Codable, Sendable {
    /// The cluster that stands.
    var spec: ClusterSpec
    /// The kernel's id of the boot in which it was made.
    var bootID: String
    /// Kernel parameters of the host and the values they had.
    var sysctls: [String: String] = [:]
    /// Directories that were made outside the cluster's own, deepest last.
    var directories: [String] = []
    /// Whether `/run/netns` became a mount point for this cluster.
    var madeNamespaceMount = false

    init(spec: ClusterSpec) throws {
        self.spec = spec
        bootID = try Self.currentBootID()
    }

    /// The id of the running boot.
    static func currentBootID() throws -> String {
        try Sysctl.get("kernel/random/boot_id")
    }

    /// Reads the state; `nil` when no cluster was made.
    static func load(_ paths: ClusterPaths) throws -> ClusterState? {
        guard FileSystem.exists(paths.stateFile) else { return nil }
        do {
            return try JSONValueDecoder().decode(
                ClusterState.self, from: JSONValue(parsing: FileSystem.readFile(paths.stateFile)))
        } catch {
            throw LocalClusterError(
                "\(paths.stateFile) is unreadable: \(error)", remedy: "Remove what is left with `duet down`.")
        }
    }

    func save(_ paths: ClusterPaths) throws {
        try FileSystem.makeDirectory(paths.data, mode: 0o755, intermediate: true)
        let text = try JSONValueEncoder().encode(self).text(pretty: true)
        try FileSystem.writeFileAtomically(paths.stateFile, Array((text + "\n").utf8))
    }
}
