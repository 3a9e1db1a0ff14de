import Glibc
package import KubernetesAPI
import Linux

/// Makes and removes what a pod's volumes need on the node's disk.
package struct PodVolumes: Sendable {
    /// Where the pod's files are.
    let directories: PodDirectories

    /// Names the volumes of a pod.
    package init(directories: PodDirectories) {
        self.directories = directories
    }

    /// Makes one volume; repeated calls bring its files up to date.
    ///
    /// - Parameters:
    ///   - content: the files of a volume made from objects, nil for other kinds.
    ///   - version: a name not used before for this pod.
    package func prepare(_ volume: Volume, content: VolumeContent?, version: String) throws {
        let path = directories.volume(volume.name)
        if let content {
            try VolumeDirectory(path: path).write(content, version: version)
        } else if let source = volume.emptyDir {
            try prepareEmpty(source, at: path)
        } else if let source = volume.hostPath {
            try prepareHost(source)
        } else {
            throw PodActionFailure(
                reason: "FailedMount",
                message:
                    "volume \"\(volume.name)\" is of a kind that this node does not offer: use emptyDir, hostPath, "
                    + "configMap, secret, downwardAPI or projected")
        }
    }

    private func prepareEmpty(_ source: EmptyDirVolumeSource, at path: String) throws {
        try FileSystem.makeDirectory(path, mode: 0o777)
        if source.medium == "Memory", try !Self.isMountPoint(path) {
            let size = source.sizeLimit.map { ",size=\($0.value)" } ?? ""
            try Mount.tmpfs(at: path, options: "mode=0777\(size)")
        }
        // The process's umask does not apply: every user of the pod may write.
        try FileSystem.setMode(path, 0o777)
    }

    private func prepareHost(_ source: HostPathVolumeSource) throws {
        let path = source.path
        let kind = try? FileSystem.status(path).kind
        switch source.type ?? "" {
        case "":
            return
        case "DirectoryOrCreate" where kind == nil:
            try FileSystem.makeDirectory(path, mode: 0o755)
        case "FileOrCreate" where kind == nil:
            try FileSystem.writeFile(path, [], mode: 0o644)
        case "Directory" where kind == .directory, "DirectoryOrCreate" where kind == .directory,
            "File" where kind == .file, "FileOrCreate" where kind == .file, "Socket" where kind == .socket:
            return
        case let type:
            throw PodActionFailure(
                reason: "FailedMount", message: "hostPath type check failed: \(path) is not a \(type)")
        }
    }

    /// The mounts of a container's volumes.
    package func mounts(
        of container: Container, volumes: [Volume], environment: Environment
    ) throws(PodActionFailure) -> [ContainerMount] {
        var mounts: [ContainerMount] = []
        for mount in container.volumeMounts ?? [] {
            guard let volume = volumes.first(where: { $0.name == mount.name }) else {
                throw Self.failure("volumeMount \"\(mount.name)\" names no volume of the pod")
            }
            let base = volume.hostPath?.path ?? directories.volume(volume.name)
            let subPath = mount.subPathExpr.map(environment.expand) ?? mount.subPath ?? ""
            mounts.append(
                ContainerMount(
                    hostPath: try Self.resolve(subPath, in: base), containerPath: mount.mountPath,
                    isReadOnly: mount.readOnly ?? false, propagation: mount.mountPropagation ?? "None"))
        }
        return mounts
    }

    /// The path of a part of a volume; a missing part becomes a directory, a link out of the volume is refused.
    private static func resolve(_ subPath: String, in base: String) throws(PodActionFailure) -> String {
        guard !subPath.isEmpty else { return base }
        guard !subPath.hasPrefix("/"), !subPath.split(separator: "/").contains("..") else {
            throw failure("subPath \"\(subPath)\" must be relative and without \"..\"")
        }
        let path = "\(base)/\(subPath)"
        if !FileSystem.exists(path) {
            do throws(SystemError) {
                try FileSystem.makeDirectory(path, mode: 0o755)
                // Whoever may write to the volume may write to its parts.
                try FileSystem.setMode(path, FileSystem.status(base).mode)
            } catch {
                throw failure("cannot make subPath \"\(subPath)\": \(error)")
            }
        }
        guard let real = realPath(path), let realBase = realPath(base),
            real == realBase || real.hasPrefix(realBase + "/")
        else { throw failure("subPath \"\(subPath)\" leads out of its volume") }
        return real
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Unmounts and removes everything that the node keeps for the pod; nothing there is no error.
    package func removeAll() throws {
        for entry in try Mount.list() where entry.target.hasPrefix(directories.root + "/") {
            try Mount.unmount(entry.target, lazily: true)
        }
        try FileSystem.removeTree(directories.root)
        try FileSystem.removeTree(directories.logs)
    }

    private static func isMountPoint(_ path: String) throws -> Bool {
        try Mount.list().contains { $0.target == path }
    }

    private static func failure(_ message: String) -> PodActionFailure {
        PodActionFailure(reason: "CreateContainerConfigError", message: message)
    }
}
