import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI

extension APIHandler {
    /// Answers POST to a collection.
    func create(_ call: Call) async throws -> Response {
        let options = try call.writeOptions()
        let object = call.definition.stored(try await body(call, call.resource, options))
        let namespace = call.resource.isNamespaced ? call.path.namespace ?? "" : ""
        try call.checkNamespace(object)
        try call.checkForm(of: object)
        try await awaitAccount(of: object, call)
        let created = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            try transaction.create(object, call.index, namespace: namespace, options)
        }
        return answer(created, call, status: .created).warning(options.warnings)
    }

    /// Answers PUT of an object or of its status.
    func update(_ call: Call, subresource: String?) async throws -> Response {
        let options = try call.writeOptions()
        return try await update(call, subresource: subresource, body(call, call.resource, options), options)
    }

    /// Puts an object in the place of the one that is there.
    func update(
        _ call: Call, subresource: String?, _ served: JSONValue, _ options: WriteOptions
    ) async throws -> Response {
        let object = call.definition.stored(served)
        try call.checkNamespace(object)
        let name = object.at("metadata", "name")?.string ?? ""
        guard name == call.key.name else {
            throw call.otherName(name)
        }
        let (updated, isNew) = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            guard subresource == nil, call.definition.isCreatedByUpdate,
                transaction.object(call.index, call.key) == nil
            else {
                let updated = try transaction.update(call.index, call.key, subresource: subresource, options) { _ in
                    object
                }
                return (updated, false)
            }
            try call.requireCreation()
            try call.checkForm(of: object)
            if let uid = object.at("metadata", "uid")?.string, !uid.isEmpty {
                throw .conflict(
                    call.resource, call.key.name,
                    "Precondition failed: UID in precondition: \(uid), UID in object meta: ")
            }
            var object = object
            // The version of an object that is gone is as good as none.
            object.set(nil, at: "metadata", "resourceVersion")
            return (try transaction.create(object, call.index, namespace: call.key.namespace, options), true)
        }
        return answer(updated, call, status: isNew ? .created : .ok).warning(options.warnings)
    }

    /// Answers PATCH of an object or of its status.
    func patch(_ call: Call, subresource: String?) async throws -> Response {
        let text = try await RequestBodyText(call.request)
        if text.type == AppliedConfiguration.mediaType { return try await apply(call, text, subresource: subresource) }
        let patch = try ObjectPatch(text)
        let options = try call.writeOptions()
        let validation = try FieldValidation(call.query)
        let updated = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            try transaction.update(call.index, call.key, subresource: subresource, options) {
                current throws(StatusError) in
                var object = call.definition.served(current)
                try patch.apply(to: &object, call.definition)
                try validation.decode(
                    patched: &object, call.resource, by: patch.shown, duplicates: patch.duplicates, options.warnings)
                try checkKind(object, call.resource)
                guard object.at("metadata", "name") == current.at("metadata", "name") else {
                    throw call.otherName(object.at("metadata", "name")?.string ?? "")
                }
                try call.checkNamespace(object)
                return call.definition.stored(object)
            }
        }
        return answer(updated, call).warning(options.warnings)
    }

    /// The object in a request's body, checked against the schema.
    func body(_ call: Call, _ resource: Resource, _ options: WriteOptions) async throws -> JSONValue {
        let (object, duplicates) = try await RequestBodyText(call.request).decode()
        return try body(object, duplicates, call, resource, options)
    }

    /// The object that a body says, checked against the schema.
    func body(
        _ body: JSONValue, _ duplicates: [String], _ call: Call, _ resource: Resource, _ options: WriteOptions
    ) throws(StatusError) -> JSONValue {
        var object = body
        try checkKind(object, resource)
        try FieldValidation(call.query).decode(&object, resource, duplicates: duplicates, options.warnings)
        return object
    }

    func checkKind(_ object: JSONValue, _ resource: Resource) throws(StatusError) {
        guard object.object != nil else {
            throw .badRequest("the object provided is unrecognized (must be an object of kind \(resource.kind))")
        }
        let kind = object["kind"]?.string ?? ""
        let version = object["apiVersion"]?.string ?? ""
        guard kind.isEmpty || kind == resource.kind, version.isEmpty || version == resource.apiVersion else {
            throw .badRequest(
                "the API version in the data (\(version), kind \(kind)) does not match the expected API version "
                    + "(\(resource.apiVersion), kind \(resource.kind))")
        }
    }
}

extension APIHandler.Call {
    /// Refuses an object that says that it is another one than the request is about.
    func checkPlace(_ object: JSONValue) throws(StatusError) {
        try checkNamespace(object)
        let name = object.at("metadata", "name")?.string ?? ""
        guard name.isEmpty || name == key.name else { throw otherName(name) }
    }

    /// Refuses an object of another namespace than the request's.
    func checkNamespace(_ object: JSONValue) throws(StatusError) {
        guard resource.isNamespaced, let own = object.at("metadata", "namespace")?.string, !own.isEmpty,
            own != path.namespace
        else { return }
        throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
    }

    /// Refuses a new object that is less than the form demands in which it is sent.
    func checkForm(of object: JSONValue) throws(StatusError) {
        guard let problems = definition.form?.creationProblems(object), !problems.isEmpty else { return }
        throw .invalid(
            kind: stored.resource.kind, group: stored.resource.group,
            name: object.at("metadata", "name")?.string ?? "", causes: problems)
    }

    /// 400: the object has another name than the request's path.
    func otherName(_ name: String) -> StatusError {
        .badRequest("the name of the object (\(name)) does not match the name on the URL (\(key.name))")
    }
}
