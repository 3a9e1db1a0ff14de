package import KubernetesAPI

/// The files of a volume that is made from objects.
package struct VolumeContent: Sendable, Hashable {
    /// One file.
    package struct File: Sendable, Hashable {
        /// Content.
        package var bytes: [UInt8]
        /// Permissions.
        package var mode: UInt32

        /// Creates a file.
        package init(bytes: [UInt8], mode: UInt32) {
            self.bytes = bytes
            self.mode = mode
        }
    }

    /// Files by relative path.
    package private(set) var files: [String: File] = [:]

    /// Builds the content of a configMap, secret, downwardAPI or projected volume; nil for other kinds.
    ///
    /// - Parameter tokens: tokens of the service account by relative path, for projections that ask for one.
    /// - Throws: `FailedMount` when an object or key that is not optional is missing, or a path leaves the volume.
    package init?(
        _ volume: Volume, pod: DownwardAPI, sources: ConfigurationSources, tokens: [String: String] = [:]
    ) throws(PodActionFailure) {
        if let source = volume.configMap {
            let selection = Selection(
                kind: "configmap", name: source.name ?? "", items: source.items, isOptional: source.optional ?? false)
            try add(selection, sources.configMaps, mode: source.defaultMode)
        } else if let source = volume.secret {
            let selection = Selection(
                kind: "secret", name: source.secretName ?? "", items: source.items,
                isOptional: source.optional ?? false)
            try add(selection, sources.secrets, mode: source.defaultMode)
        } else if let source = volume.downwardAPI {
            try add(source.items ?? [], pod, mode: source.defaultMode)
        } else if let source = volume.projected {
            for projection in source.sources ?? [] {
                try add(projection, pod, sources, tokens, mode: source.defaultMode)
            }
        } else {
            return nil
        }
    }

    private struct Selection {
        var kind: String
        var name: String
        var items: [KeyToPath]?
        var isOptional: Bool
    }

    private mutating func add(
        _ projection: VolumeProjection, _ pod: DownwardAPI, _ sources: ConfigurationSources,
        _ tokens: [String: String], mode: Int?
    ) throws(PodActionFailure) {
        if let source = projection.configMap {
            let selection = Selection(
                kind: "configmap", name: source.name ?? "", items: source.items, isOptional: source.optional ?? false)
            try add(selection, sources.configMaps, mode: mode)
        }
        if let source = projection.secret {
            let selection = Selection(
                kind: "secret", name: source.name ?? "", items: source.items, isOptional: source.optional ?? false)
            try add(selection, sources.secrets, mode: mode)
        }
        if let source = projection.downwardAPI {
            try add(source.items ?? [], pod, mode: mode)
        }
        if let source = projection.serviceAccountToken {
            guard let token = tokens[source.path] else {
                throw Self.failure("no token was issued for path \(source.path)")
            }
            try set(source.path, Array(token.utf8), UInt32(mode ?? 0o644))
        }
    }

    private mutating func add(
        _ selection: Selection, _ objects: [String: [String: [UInt8]]], mode: Int?
    ) throws(PodActionFailure) {
        let mode = UInt32(mode ?? 0o644)
        guard let data = objects[selection.name] else {
            guard selection.isOptional else { throw Self.failure("\(selection.kind) \"\(selection.name)\" not found") }
            return
        }
        guard let items = selection.items else {
            for (key, bytes) in data {
                try set(key, bytes, mode)
            }
            return
        }
        for item in items {
            guard let bytes = data[item.key] else {
                guard selection.isOptional else {
                    throw Self.failure("\(selection.kind) \"\(selection.name)\" has no key \"\(item.key)\"")
                }
                continue
            }
            try set(item.path, bytes, item.mode.map(UInt32.init) ?? mode)
        }
    }

    private mutating func add(
        _ items: [DownwardAPIVolumeFile], _ pod: DownwardAPI, mode: Int?
    ) throws(PodActionFailure) {
        for item in items {
            let value =
                if let field = item.fieldRef {
                    pod.field(field.fieldPath)
                } else if let resource = item.resourceFieldRef {
                    pod.resource(resource, of: resource.containerName ?? "")
                } else {
                    nil as String?
                }
            guard let value else { throw Self.failure("path \"\(item.path)\" refers to a field that is not offered") }
            try set(item.path, Array(value.utf8), UInt32(item.mode ?? mode ?? 0o644))
        }
    }

    private mutating func set(_ path: String, _ bytes: [UInt8], _ mode: UInt32) throws(PodActionFailure) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }), !path.hasPrefix("..") else {
            throw Self.failure("path \"\(path)\" must be relative and stay inside the volume")
        }
        files[path] = File(bytes: bytes, mode: mode)
    }

    private static func failure(_ message: String) -> PodActionFailure {
        PodActionFailure(reason: "FailedMount", message: message)
    }
}
