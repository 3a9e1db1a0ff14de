package import JSON
package import KubernetesAPI

extension WriteTransaction {
    /// Creates an object.
    ///
    /// - Parameters:
    ///   - resource: Index of the resource.
    ///   - namespace: The namespace of the request, empty for cluster-scoped resources.
    package mutating func create(
        _ object: JSONValue, _ resource: Int, namespace: String, _ options: WriteOptions
    ) throws(StatusError) -> StoredObject {
        let definition = definitions[resource]
        var object = object
        guard object.at("metadata", "resourceVersion")?.string ?? "" == "" else {
            throw .badRequest("resourceVersion should not be set on objects to be created")
        }
        if definition.resource.isNamespaced {
            try checkNamespace(namespace, definition.resource, object)
        }
        let name = object.at("metadata", "name")?.string ?? ""
        let prefix = object.at("metadata", "generateName")?.string ?? ""
        guard name.isEmpty, !prefix.isEmpty else {
            return try admit(&object, resource, ObjectKey(namespace: namespace, name: name), options)
        }
        var collision: StatusError?
        for _ in 0..<GeneratedName.attempts {
            let key = ObjectKey(namespace: namespace, name: GeneratedName.make(prefix))
            guard self.object(resource, key) == nil else {
                collision = .alreadyExists(definition.resource, key.name)
                continue
            }
            return try admit(&object, resource, key, options)
        }
        throw collision ?? .alreadyExists(definition.resource, prefix)
    }

    private mutating func admit(
        _ object: inout JSONValue, _ resource: Int, _ key: ObjectKey, _ options: WriteOptions
    ) throws(StatusError) -> StoredObject {
        let definition = definitions[resource]
        if key.name.isEmpty {
            throw .invalid(
                kind: definition.resource.kind, group: definition.resource.group, name: "",
                causes: [.required("metadata.name", "name or generateName is required")])
        }
        var metadata = object["metadata"] ?? [:]
        // Held twice, the members would be copied by the first change.
        object["metadata"] = nil
        let applied = metadata["managedFields"]
        for serverSet in ["selfLink", "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"]
        {
            metadata[serverSet] = nil
        }
        metadata["name"] = .string(key.name)
        metadata["namespace"] = definition.resource.isNamespaced ? .string(key.namespace) : nil
        metadata["uid"] = .string(RandomNames.uuid())
        metadata["creationTimestamp"] = .string(nowText)
        if definition.countsGenerations {
            metadata["generation"] = 1
        }
        object["metadata"] = metadata
        object.dropRepeatedOwners(options.warnings, isPatch: options.isPatch)
        object = definition.inOrder(object)
        let sent = object
        let write = AdmittedWrite(operation: .create, resource: definition.resource, key: key, new: object)
        try ask(about: write, options) { context throws(StatusError) in
            try definition.strategy.admitCreate(&object, context)
        }
        if let present = self.object(resource, key) {
            var error = StatusError.alreadyExists(definition.resource, key.name)
            if present.isTerminating { error.message = "object is being deleted: \(error.message)" }
            throw error
        }
        switch options.tracking {
        case .none: break
        case .manager(let manager):
            object.set(definition.owners(of: object, sent: sent, manager, at: nowText), at: "metadata", "managedFields")
        case .applied: object.set(applied, at: "metadata", "managedFields")
        }
        return put(object, resource, key)
    }

    /// Puts a write before the rules for who asks for it and those of its resource, and keeps what is allocated for it.
    ///
    /// A copy of the state is at hand for them, and gone when this returns: every change beside it would have to copy what it
    /// touches.
    mutating func ask(
        about write: AdmittedWrite, _ options: WriteOptions,
        _ reserve: (AdmissionContext) throws(StatusError) -> Reservation
    ) throws(StatusError) {
        let lookup = lookup
        try options.requester?.admit(write, lookup)
        hold(
            try reserve(
                AdmissionContext(
                    subresource: write.subresource, isDryRun: options.isDryRun, lookup: lookup,
                    warnings: options.warnings, requester: options.requester)))
    }

    private func checkNamespace(
        _ namespace: String, _ resource: Resource, _ object: JSONValue
    ) throws(StatusError) {
        guard let index = index(of: .namespaces), let found = self.object(index, ObjectKey(name: namespace)) else {
            throw .notFound(.namespaces, namespace)
        }
        guard !found.isTerminating else {
            throw .forbidden(
                resource, object.at("metadata", "name")?.string ?? "",
                "unable to create new content in namespace \(namespace) because it is being terminated",
                causes: [
                    StatusError.Cause(
                        reason: "NamespaceTerminating", message: "namespace \(namespace) is being terminated",
                        field: "metadata.namespace")
                ])
        }
    }
}

/// Names made from `metadata.generateName`.
enum GeneratedName {
    /// How often a taken name is replaced by another.
    static let attempts = 8
    private static let suffixLength = 5
    private static let maximumLength = 63

    /// The prefix, cut where needed, and a random suffix.
    static func make(_ prefix: String) -> String {
        prefix.prefix(maximumLength - suffixLength) + RandomNames.suffix(suffixLength)
    }
}

extension ResourceDefinition {
    /// The object with `apiVersion`, `kind` and `metadata` first, in which every object of the resource begins alike.
    func inOrder(_ object: JSONValue) -> JSONValue {
        var ordered: JSONObject = [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind),
            "metadata": object["metadata"] ?? [:],
        ]
        for (key, value) in object.object ?? [:] where ordered[key] == nil {
            ordered[key] = value
        }
        return .object(ordered)
    }
}
