import Linux

/// Loads image archives into one node's containerd, each once.
struct ImageLoader {
    let node: NodePaths
    /// Paths of the archives.
    let archives: [String]

    /// Whether nothing is left to load.
    var isLoaded: Bool {
        get throws {
            try archives.allSatisfy { try isLoaded($0, content: content(of: $0)) }
        }
    }

    /// Loads what is not loaded yet.
    func load() throws {
        for archive in archives {
            let content = try content(of: archive)
            if isLoaded(archive, content: content) { continue }
            let output = try ChildProcess.output(
                of: ChildProcess.Specification(
                    executable: "ctr",
                    arguments: [
                        "--address", node.containerdSocket, "--namespace", "k8s.io", "images", "import", archive,
                    ]))
            guard output.status.isSuccess else {
                throw LocalClusterError("loading \(archive) into \(node.name) failed: \(output.errorText)")
            }
            try FileSystem.writeFileAtomically(mark(of: archive), Array(content.utf8))
        }
    }

    private func mark(of archive: String) -> String {
        "\(node.loadedImages)/\(archive.split(separator: "/").last ?? "")"
    }

    private func isLoaded(_ archive: String, content: String) -> Bool {
        (try? FileSystem.readText(mark(of: archive))) == content
    }

    /// What tells one version of an archive from another.
    private func content(of archive: String) throws -> String {
        let status = try FileSystem.status(archive)
        return "\(status.size) \(status.modified)\n"
    }

    /// The archives of a directory, in the order of their names.
    static func archives(in directory: String) throws -> [String] {
        guard FileSystem.exists(directory) else {
            throw LocalClusterError(
                "the image directory \(directory) does not exist",
                remedy: "Build the images with examples/images/build, or name their directory with --image-dir.")
        }
        return try FileSystem.list(directory).filter { $0.hasSuffix(".tar") }.map { "\(directory)/\($0)" }
    }
}
