/// What is followed of a resource: its objects, or what a component makes of them.
public protocol WatchedObject: Sendable {
    /// The resource that serves the objects.
    static var resource: Resource { get }
    /// Namespace and name, which identify the object among those of its resource.
    var key: ObjectKey { get }
    /// Identity in time and space; a recreated object has another.
    var uid: String? { get }
    /// Opaque version; an object with the same one has not changed.
    var resourceVersion: String? { get }
}

extension KubernetesObject {
    /// Identity in time and space; a recreated object has another.
    public var uid: String? { metadata.uid }

    /// Opaque version; an object with the same one has not changed.
    public var resourceVersion: String? { metadata.resourceVersion }
}
