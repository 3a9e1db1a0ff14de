import Linux

/// A directory whose files all change together.
///
/// The files live in a directory with a new name each time; `..data` points to it and is switched by one rename, and
/// each first path component is a link through `..data`, so that a reader sees the old files or the new ones.
package struct VolumeDirectory: Sendable {
    /// Path of the directory.
    let path: String

    /// Names a directory.
    package init(path: String) {
        self.path = path
    }

    /// Makes the directory show these files and no others; does nothing when it shows them already.
    ///
    /// - Parameter version: a name not used for this directory before.
    package func write(_ content: VolumeContent, version: String) throws {
        try FileSystem.makeDirectory(path, mode: 0o755, intermediate: true)
        let data = "\(path)/..data"
        let old = try? FileSystem.readLink(data)
        if let old, isCurrent(content, in: "\(path)/\(old)") { return }
        let next = "..\(version)"
        try FileSystem.makeDirectory("\(path)/\(next)", mode: 0o755)
        for (name, file) in content.files {
            let target = "\(path)/\(next)/\(name)"
            if let slash = target.lastIndex(of: "/") {
                try FileSystem.makeDirectory(String(target[..<slash]), mode: 0o755, intermediate: true)
            }
            try FileSystem.writeFile(target, file.bytes, mode: file.mode)
            // The process's umask does not apply to what the user asked for.
            try FileSystem.setMode(target, file.mode)
        }
        try? FileSystem.remove("\(data)_tmp")
        try FileSystem.symbolicLink(to: next, at: "\(data)_tmp")
        try FileSystem.rename("\(data)_tmp", to: data)
        try updateLinks(content)
        if let old { try FileSystem.removeTree("\(path)/\(old)") }
    }

    private func updateLinks(_ content: VolumeContent) throws {
        let wanted = Set(content.files.keys.map { String($0.split(separator: "/")[0]) })
        let present = Set(try FileSystem.list(path).filter { !$0.hasPrefix("..") })
        for name in wanted.subtracting(present) {
            try FileSystem.symbolicLink(to: "..data/\(name)", at: "\(path)/\(name)")
        }
        for name in present.subtracting(wanted) {
            try FileSystem.remove("\(path)/\(name)")
        }
    }

    private func isCurrent(_ content: VolumeContent, in directory: String) -> Bool {
        guard let names = try? Self.files(below: directory), names == Set(content.files.keys) else { return false }
        return content.files.allSatisfy { name, file in
            (try? FileSystem.readFile("\(directory)/\(name)")) == file.bytes
        }
    }

    private static func files(below directory: String) throws -> Set<String> {
        var result: Set<String> = []
        for name in try FileSystem.list(directory) {
            if try FileSystem.status("\(directory)/\(name)", followLinks: false).kind == .directory {
                result.formUnion(try files(below: "\(directory)/\(name)").map { "\(name)/\($0)" })
            } else {
                result.insert(name)
            }
        }
        return result
    }
}
