/// An environment variable.
public struct EnvVar: Codable, Sendable, Hashable {
    /// Name.
    public var name: String
    /// Value; `$(NAME)` refers to an earlier variable.
    public var value: String?
    /// Where the value comes from instead.
    public var valueFrom: EnvVarSource?

    /// Creates a value; fields left nil are absent on the wire.
    public init(name: String, value: String? = nil, valueFrom: EnvVarSource? = nil) {
        self.name = name
        self.value = value
        self.valueFrom = valueFrom
    }
}

/// Where a variable's value comes from; exactly one member is set.
public struct EnvVarSource: Codable, Sendable, Hashable {
    /// A field of the pod.
    public var fieldRef: ObjectFieldSelector?
    /// A resource of a container.
    public var resourceFieldRef: ResourceFieldSelector?
    /// A key of a ConfigMap.
    public var configMapKeyRef: KeySelector?
    /// A key of a Secret.
    public var secretKeyRef: KeySelector?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        fieldRef: ObjectFieldSelector? = nil, resourceFieldRef: ResourceFieldSelector? = nil,
        configMapKeyRef: KeySelector? = nil, secretKeyRef: KeySelector? = nil
    ) {
        self.fieldRef = fieldRef
        self.resourceFieldRef = resourceFieldRef
        self.configMapKeyRef = configMapKeyRef
        self.secretKeyRef = secretKeyRef
    }
}

/// A field of the pod.
public struct ObjectFieldSelector: Codable, Sendable, Hashable {
    /// Version of the path; `v1`.
    public var apiVersion: String?
    /// Path such as `status.podIP`.
    public var fieldPath: String

    /// Creates a value; fields left nil are absent on the wire.
    public init(apiVersion: String? = nil, fieldPath: String) {
        self.apiVersion = apiVersion
        self.fieldPath = fieldPath
    }
}

/// A resource of a container.
public struct ResourceFieldSelector: Codable, Sendable, Hashable {
    /// Container; absent means the own.
    public var containerName: String?
    /// Such as `limits.cpu`.
    public var resource: String
    /// Unit of the result.
    public var divisor: Quantity?

    /// Creates a value; fields left nil are absent on the wire.
    public init(containerName: String? = nil, resource: String, divisor: Quantity? = nil) {
        self.containerName = containerName
        self.resource = resource
        self.divisor = divisor
    }
}

/// A key of a ConfigMap or Secret.
public struct KeySelector: Codable, Sendable, Hashable {
    /// Name of the object.
    public var name: String?
    /// Key.
    public var key: String
    /// True tolerates absence.
    public var optional: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(name: String? = nil, key: String, optional: Bool? = nil) {
        self.name = name
        self.key = key
        self.optional = optional
    }
}

/// An object whose every key becomes a variable.
public struct EnvFromSource: Codable, Sendable, Hashable {
    /// Prefix for the names.
    public var prefix: String?
    /// A ConfigMap.
    public var configMapRef: EnvFromReference?
    /// A Secret.
    public var secretRef: EnvFromReference?

    /// Creates a value; fields left nil are absent on the wire.
    public init(prefix: String? = nil, configMapRef: EnvFromReference? = nil, secretRef: EnvFromReference? = nil) {
        self.prefix = prefix
        self.configMapRef = configMapRef
        self.secretRef = secretRef
    }
}

/// A ConfigMap or Secret in the same namespace.
public struct EnvFromReference: Codable, Sendable, Hashable {
    /// Name of the object.
    public var name: String?
    /// True tolerates absence.
    public var optional: Bool?

    /// Creates a value; fields left nil are absent on the wire.
    public init(name: String? = nil, optional: Bool? = nil) {
        self.name = name
        self.optional = optional
    }
}
