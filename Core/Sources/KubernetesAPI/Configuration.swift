/// Configuration as text and bytes.
public struct ConfigMap: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .configMaps }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Text by key.
    public var data: [String: String]?
    /// Base64 of bytes by key.
    public var binaryData: [String: String]?
    /// True forbids changes.
    public var immutable: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        metadata: ObjectMeta = ObjectMeta(), data: [String: String]? = nil, binaryData: [String: String]? = nil,
        immutable: Bool? = nil
    ) {
        self.metadata = metadata
        self.data = data
        self.binaryData = binaryData
        self.immutable = immutable
    }
}

/// Confidential values.
public struct Secret: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .secrets }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Kind of content; `Opaque`.
    public var type: String?
    /// Base64 of bytes by key.
    public var data: [String: String]?
    /// Text by key, write only.
    public var stringData: [String: String]?
    /// True forbids changes.
    public var immutable: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        metadata: ObjectMeta = ObjectMeta(), type: String? = nil, data: [String: String]? = nil,
        stringData: [String: String]? = nil, immutable: Bool? = nil
    ) {
        self.metadata = metadata
        self.type = type
        self.data = data
        self.stringData = stringData
        self.immutable = immutable
    }
}

/// An identity for pods.
public struct ServiceAccount: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .serviceAccounts }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// Secrets that pods of this account may use.
    public var secrets: [ObjectReference]?
    /// Registry credentials.
    public var imagePullSecrets: [LocalObjectReference]?
    /// False keeps the token out of the containers.
    public var automountServiceAccountToken: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        metadata: ObjectMeta = ObjectMeta(), secrets: [ObjectReference]? = nil,
        imagePullSecrets: [LocalObjectReference]? = nil, automountServiceAccountToken: Bool? = nil
    ) {
        self.metadata = metadata
        self.secrets = secrets
        self.imagePullSecrets = imagePullSecrets
        self.automountServiceAccountToken = automountServiceAccountToken
    }
}
