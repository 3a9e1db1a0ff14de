/// A volume of a pod; exactly one source is set.
public struct Volume: Codable, Sendable, Hashable {
    /// Name, unique in the pod.
    public var name: String
    /// A directory that lives as long as the pod.
    public var emptyDir: EmptyDirVolumeSource?
    /// A path of the node.
    public var hostPath: HostPathVolumeSource?
    /// A ConfigMap's keys as files.
    public var configMap: ConfigMapVolumeSource?
    /// A Secret's keys as files.
    public var secret: SecretVolumeSource?
    /// Fields of the pod as files.
    public var downwardAPI: DownwardAPIVolumeSource?
    /// Several sources in one directory.
    public var projected: ProjectedVolumeSource?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        name: String, emptyDir: EmptyDirVolumeSource? = nil, hostPath: HostPathVolumeSource? = nil,
        configMap: ConfigMapVolumeSource? = nil, secret: SecretVolumeSource? = nil,
        downwardAPI: DownwardAPIVolumeSource? = nil, projected: ProjectedVolumeSource? = nil
    ) {
        self.name = name
        self.emptyDir = emptyDir
        self.hostPath = hostPath
        self.configMap = configMap
        self.secret = secret
        self.downwardAPI = downwardAPI
        self.projected = projected
    }
}

/// A directory that lives as long as the pod.
public struct EmptyDirVolumeSource: Codable, Sendable, Hashable {
    /// Empty, or `Memory`.
    public var medium: String?
    /// Largest size.
    public var sizeLimit: Quantity?

    /// Creates a value; fields left nil are absent on the wire.
    public init(medium: String? = nil, sizeLimit: Quantity? = nil) {
        self.medium = medium
        self.sizeLimit = sizeLimit
    }
}

/// A path of the node.
public struct HostPathVolumeSource: Codable, Sendable, Hashable {
    /// The path.
    public var path: String
    /// What must be there, or is made.
    public var type: String?

    /// Creates a value; fields left nil are absent on the wire.
    public init(path: String, type: String? = nil) {
        self.path = path
        self.type = type
    }
}

/// A key and the file it becomes.
public struct KeyToPath: Codable, Sendable, Hashable {
    /// Key.
    public var key: String
    /// Relative path of the file.
    public var path: String
    /// Permission bits.
    public var mode: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(key: String, path: String, mode: Int? = nil) {
        self.key = key
        self.path = path
        self.mode = mode
    }
}

/// A ConfigMap's keys as files.
public struct ConfigMapVolumeSource: Codable, Sendable, Hashable {
    /// Name of the ConfigMap.
    public var name: String?
    /// Selected keys; absent means all.
    public var items: [KeyToPath]?
    /// Permission bits; 0644.
    public var defaultMode: Int?
    /// True tolerates absence.
    public var optional: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(name: String? = nil, items: [KeyToPath]? = nil, defaultMode: Int? = nil, optional: Bool? = nil) {
        self.name = name
        self.items = items
        self.defaultMode = defaultMode
        self.optional = optional
    }
}

/// A Secret's keys as files.
public struct SecretVolumeSource: Codable, Sendable, Hashable {
    /// Name of the Secret.
    public var secretName: String?
    /// Selected keys; absent means all.
    public var items: [KeyToPath]?
    /// Permission bits; 0644.
    public var defaultMode: Int?
    /// True tolerates absence.
    public var optional: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(secretName: String? = nil, items: [KeyToPath]? = nil, defaultMode: Int? = nil, optional: Bool? = nil) {
        self.secretName = secretName
        self.items = items
        self.defaultMode = defaultMode
        self.optional = optional
    }
}

/// Fields of the pod as files.
public struct DownwardAPIVolumeSource: Codable, Sendable, Hashable {
    /// The files.
    public var items: [DownwardAPIVolumeFile]?
    /// Permission bits; 0644.
    public var defaultMode: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(items: [DownwardAPIVolumeFile]? = nil, defaultMode: Int? = nil) {
        self.items = items
        self.defaultMode = defaultMode
    }
}

/// A field of the pod as a file.
public struct DownwardAPIVolumeFile: Codable, Sendable, Hashable {
    /// Relative path of the file.
    public var path: String
    /// A field of the pod.
    public var fieldRef: ObjectFieldSelector?
    /// A resource of a container.
    public var resourceFieldRef: ResourceFieldSelector?
    /// Permission bits.
    public var mode: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        path: String, fieldRef: ObjectFieldSelector? = nil, resourceFieldRef: ResourceFieldSelector? = nil,
        mode: Int? = nil
    ) {
        self.path = path
        self.fieldRef = fieldRef
        self.resourceFieldRef = resourceFieldRef
        self.mode = mode
    }
}

/// Several sources in one directory.
public struct ProjectedVolumeSource: Codable, Sendable, Hashable {
    /// The sources.
    public var sources: [VolumeProjection]?
    /// Permission bits; 0644.
    public var defaultMode: Int?

    /// Creates a value; fields left nil are absent on the wire.
    public init(sources: [VolumeProjection]? = nil, defaultMode: Int? = nil) {
        self.sources = sources
        self.defaultMode = defaultMode
    }
}

/// One source of a projected volume; exactly one member is set.
public struct VolumeProjection: Codable, Sendable, Hashable {
    /// A ConfigMap's keys.
    public var configMap: ConfigMapProjection?
    /// A Secret's keys.
    public var secret: SecretProjection?
    /// Fields of the pod.
    public var downwardAPI: DownwardAPIProjection?
    /// A token of the pod's account.
    public var serviceAccountToken: ServiceAccountTokenProjection?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        configMap: ConfigMapProjection? = nil, secret: SecretProjection? = nil,
        downwardAPI: DownwardAPIProjection? = nil, serviceAccountToken: ServiceAccountTokenProjection? = nil
    ) {
        self.configMap = configMap
        self.secret = secret
        self.downwardAPI = downwardAPI
        self.serviceAccountToken = serviceAccountToken
    }
}

/// A ConfigMap's keys in a projected volume.
public struct ConfigMapProjection: Codable, Sendable, Hashable {
    /// Name of the ConfigMap.
    public var name: String?
    /// Selected keys; absent means all.
    public var items: [KeyToPath]?
    /// True tolerates absence.
    public var optional: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(name: String? = nil, items: [KeyToPath]? = nil, optional: Bool? = nil) {
        self.name = name
        self.items = items
        self.optional = optional
    }
}

/// A Secret's keys in a projected volume.
public struct SecretProjection: Codable, Sendable, Hashable {
    /// Name of the Secret.
    public var name: String?
    /// Selected keys; absent means all.
    public var items: [KeyToPath]?
    /// True tolerates absence.
    public var optional: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(name: String? = nil, items: [KeyToPath]? = nil, optional: Bool? = nil) {
        self.name = name
        self.items = items
        self.optional = optional
    }
}

/// Fields of the pod in a projected volume.
public struct DownwardAPIProjection: Codable, Sendable, Hashable {
    /// The files.
    public var items: [DownwardAPIVolumeFile]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(items: [DownwardAPIVolumeFile]? = nil) {
        self.items = items
    }
}

/// A token in a projected volume.
public struct ServiceAccountTokenProjection: Codable, Sendable, Hashable {
    /// Audience of the token.
    public var audience: String?
    /// Lifetime in seconds.
    public var expirationSeconds: Int?
    /// Relative path of the file.
    public var path: String

    /// Creates a value; fields left nil are absent on the wire.
    public init(audience: String? = nil, expirationSeconds: Int? = nil, path: String) {
        self.audience = audience
        self.expirationSeconds = expirationSeconds
        self.path = path
    }
}
