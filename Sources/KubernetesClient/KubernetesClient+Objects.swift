public import JSON
public import KubernetesAPI

/// The form of a patch.
public enum PatchType: String, Sendable {
    /// RFC 7396 merge patch.
    case merge = "application/merge-patch+json"
    /// RFC 6902 list of operations.
    case json = "application/json-patch+json"
    /// Kubernetes' merge with knowledge of the lists' keys.
    case strategic = "application/strategic-merge-patch+json"
}

/// What becomes of an object's dependents when it is deleted.
public enum PropagationPolicy: String, Sendable {
    /// They are deleted afterwards.
    case background = "Background"
    /// They are deleted before.
    case foreground = "Foreground"
    /// They stay.
    case orphan = "Orphan"
}

extension KubernetesClient {
    /// Reads one object.
    public func get<T: KubernetesObject>(_ type: T.Type, namespace: String?, name: String) async throws -> T {
        try T(json: try await request(.get, path: T.resource.path(namespace: namespace, name: name)))
    }

    /// Reads all objects that the selectors match; a nil namespace means all namespaces.
    public func list<T: KubernetesObject>(
        _ type: T.Type, namespace: String? = nil, labelSelector: String? = nil, fieldSelector: String? = nil
    ) async throws -> (items: [T], resourceVersion: String) {
        let list = try await request(
            .get, path: T.resource.path(namespace: namespace),
            query: Self.selectors(labels: labelSelector, fields: fieldSelector))
        let items = try (list["items"]?.array ?? []).map { try T(json: $0) }
        return (items, list.at("metadata", "resourceVersion")?.string ?? "")
    }

    /// Creates an object in the namespace of its metadata.
    @discardableResult
    public func create<T: KubernetesObject>(_ object: T) async throws -> T {
        try T(json: try await create(object.json(), in: T.resource, namespace: object.metadata.namespace))
    }

    /// Creates an object from its JSON form, so that no field is lost.
    @discardableResult
    public func create(_ object: JSONValue, in resource: Resource, namespace: String?) async throws -> JSONValue {
        try await request(.post, path: resource.path(namespace: namespace), body: object)
    }

    /// Replaces an object that the caller owns whole.
    @discardableResult
    public func update<T: KubernetesObject>(_ object: T) async throws -> T {
        try await replace(object, subresource: nil)
    }

    /// Replaces the status of an object that the caller owns whole.
    @discardableResult
    public func updateStatus<T: KubernetesObject>(_ object: T) async throws -> T {
        try await replace(object, subresource: "status")
    }

    private func replace<T: KubernetesObject>(_ object: T, subresource: String?) async throws -> T {
        let path = T.resource.path(
            namespace: object.metadata.namespace, name: object.name, subresource: subresource)
        return try T(json: try await request(.put, path: path, body: try object.json()))
    }

    /// Changes an object in part.
    @discardableResult
    public func patch<T: KubernetesObject>(
        _ type: T.Type, namespace: String?, name: String, subresource: String? = nil, patch: JSONValue,
        type patchType: PatchType = .merge
    ) async throws -> T {
        let path = T.resource.path(namespace: namespace, name: name, subresource: subresource)
        return try T(json: try await request(.patch, path: path, body: patch, contentType: patchType.rawValue))
    }

    /// Deletes an object, or begins to when a grace period or finalizers hold it.
    public func delete<T: KubernetesObject>(
        _ type: T.Type, namespace: String?, name: String, gracePeriodSeconds: Int? = nil,
        propagation: PropagationPolicy? = nil, uidPrecondition: String? = nil
    ) async throws {
        try await delete(
            T.resource, namespace: namespace, name: name, gracePeriodSeconds: gracePeriodSeconds,
            propagation: propagation, uidPrecondition: uidPrecondition)
    }

    /// Deletes an object of any resource.
    public func delete(
        _ resource: Resource, namespace: String?, name: String, gracePeriodSeconds: Int? = nil,
        propagation: PropagationPolicy? = nil, uidPrecondition: String? = nil
    ) async throws {
        var options: JSONValue = ["apiVersion": "v1", "kind": "DeleteOptions"]
        options["gracePeriodSeconds"] = gracePeriodSeconds.map { .integer(Int64($0)) }
        options["propagationPolicy"] = propagation.map { .string($0.rawValue) }
        options["preconditions"] = uidPrecondition.map { ["uid": .string($0)] }
        try await request(.delete, path: resource.path(namespace: namespace, name: name), body: options)
    }

    static func selectors(labels: String?, fields: String?) -> [(String, String)] {
        var query: [(String, String)] = []
        if let labels {
            query.append(("labelSelector", labels))
        }
        if let fields {
            query.append(("fieldSelector", fields))
        }
        return query
    }
}
