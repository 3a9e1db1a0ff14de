internal import JSON
package import Linux

/// What a runtime noted of the attachments that it made (libcni, `/var/lib/cni/results`).
///
/// It writes these files in place. One that was cut off when the runtime was killed makes it refuse to detach the
/// sandbox ever after; without the file it detaches by the configuration alone.
package struct CachedResults: Sendable {
    private let directory: String

    /// Describes the notes in a directory, which need not exist.
    package init(directory: String = "/var/lib/cni/results") {
        self.directory = directory
    }

    /// Removes files that are not JSON, and returns their names.
    ///
    /// Nobody may be writing one meanwhile.
    package func removeTorn() throws(SystemError) -> [String] {
        guard FileSystem.exists(directory) else { return [] }
        var removed: [String] = []
        for name in try FileSystem.list(directory).sorted() {
            let path = "\(directory)/\(name)"
            guard try FileSystem.status(path, followLinks: false).kind == .file else { continue }
            let bytes = try FileSystem.readFile(path)
            guard (try? JSONValue(parsing: bytes)) == nil else { continue }
            try FileSystem.remove(path)
            removed.append(name)
        }
        return removed
    }
}
