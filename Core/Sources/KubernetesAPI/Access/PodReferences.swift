public import JSON

/// The objects of its namespace that a pod names, and that its node may therefore read.
public struct PodReferences: Sendable, Hashable {
    /// Names of Secrets.
    public private(set) var secrets: Set<String> = []
    /// Names of ConfigMaps.
    public private(set) var configMaps: Set<String> = []
    /// Name of the service account; empty for none.
    public private(set) var serviceAccount: String

    /// Reads them from a pod.
    public init(pod: JSONValue) {
        let spec = pod["spec"] ?? [:]
        serviceAccount = spec["serviceAccountName"]?.string ?? ""
        for secret in spec["imagePullSecrets"]?.array ?? [] { note(secret["name"], in: \.secrets) }
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            for container in spec[list]?.array ?? [] { readEnvironment(container) }
        }
        for volume in spec["volumes"]?.array ?? [] { readVolume(volume) }
    }

    private mutating func note(_ name: JSONValue?, in set: WritableKeyPath<Self, Set<String>>) {
        guard let name = name?.string, !name.isEmpty else { return }
        self[keyPath: set].insert(name)
    }

    private mutating func readEnvironment(_ container: JSONValue) {
        for source in container["envFrom"]?.array ?? [] {
            note(source.at("secretRef", "name"), in: \.secrets)
            note(source.at("configMapRef", "name"), in: \.configMaps)
        }
        for variable in container["env"]?.array ?? [] {
            note(variable.at("valueFrom", "secretKeyRef", "name"), in: \.secrets)
            note(variable.at("valueFrom", "configMapKeyRef", "name"), in: \.configMaps)
        }
    }

    private mutating func readVolume(_ volume: JSONValue) {
        note(volume.at("secret", "secretName"), in: \.secrets)
        note(volume.at("configMap", "name"), in: \.configMaps)
        for source in volume.at("projected", "sources")?.array ?? [] {
            note(source.at("secret", "name"), in: \.secrets)
            note(source.at("configMap", "name"), in: \.configMaps)
        }
        note(volume.at("csi", "nodePublishSecretRef", "name"), in: \.secrets)
    }
}
