public import JSON

/// A typed object of one resource.
///
/// Types hold the fields that Duet's components use; what writes an object back does so by patches, or owns it whole.
public protocol KubernetesObject: WatchedObject, Codable {
    /// Name, labels, owners and versions.
    var metadata: ObjectMeta { get set }
}

extension KubernetesObject {
    /// The object's name, empty before the server has made one.
    public var name: String { metadata.name ?? "" }

    /// The object's namespace, empty for cluster-scoped objects.
    public var namespace: String { metadata.namespace ?? "" }

    /// True once deletion has begun.
    public var isBeingDeleted: Bool { metadata.deletionTimestamp != nil }

    /// Namespace and name, which identify the object among those of its resource.
    public var key: ObjectKey { ObjectKey(namespace: metadata.namespace, name: name) }

    /// A reference that names this object as the controller of another.
    public var controllerReference: OwnerReference {
        OwnerReference(
            apiVersion: Self.resource.apiVersion, kind: Self.resource.kind, name: name, uid: metadata.uid ?? "",
            controller: true, blockOwnerDeletion: true)
    }

    /// A reference to this object, as events and endpoints carry it.
    public var reference: ObjectReference {
        ObjectReference(
            apiVersion: Self.resource.apiVersion, kind: Self.resource.kind, namespace: metadata.namespace,
            name: metadata.name, uid: metadata.uid)
    }

    /// Reads an object from its JSON form; `apiVersion` and `kind` are not looked at.
    public init(json: JSONValue) throws {
        self = try JSONValueDecoder().decode(Self.self, from: json)
    }

    /// The JSON form, with `apiVersion` and `kind`.
    public func json() throws -> JSONValue {
        var value: JSONValue = [
            "apiVersion": .string(Self.resource.apiVersion), "kind": .string(Self.resource.kind),
        ]
        for (key, member) in try JSONValueEncoder().encode(self).object ?? JSONObject() {
            value[key] = member
        }
        return value
    }
}

/// Namespace and name of an object.
public struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Namespace, empty for cluster-scoped objects.
    public let namespace: String
    /// Name.
    public let name: String

    /// Creates a key; a nil namespace means cluster-scoped.
    public init(namespace: String?, name: String) {
        self.namespace = namespace ?? ""
        self.name = name
    }

    /// `namespace/name`, or `name` for cluster-scoped objects.
    public var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }

    /// Orders by namespace, then by name.
    public static func < (left: ObjectKey, right: ObjectKey) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}
