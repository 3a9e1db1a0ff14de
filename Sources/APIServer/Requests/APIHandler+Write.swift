import HTTPTypes
import Hummingbird
import JSON
import KubernetesAPI

extension APIHandler {
    /// Answers POST to a collection.
    func create(_ call: Call) async throws -> Response {
        let options = try call.writeOptions()
        let object = try await body(call, call.resource, options)
        let namespace = call.resource.isNamespaced ? call.path.namespace ?? "" : ""
        try checkNamespace(object, call)
        let created = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            try transaction.create(object, call.index, namespace: namespace, options)
        }
        return answer(created, call, status: .created).warning(options.warnings)
    }

    /// Answers PUT of an object or of its status.
    func update(_ call: Call, subresource: String?) async throws -> Response {
        let options = try call.writeOptions()
        let object = try await body(call, call.resource, options)
        try checkNamespace(object, call)
        let name = object.at("metadata", "name")?.string ?? ""
        guard name == call.key.name else {
            throw StatusError.badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(call.key.name))")
        }
        let updated = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            try transaction.update(call.index, call.key, subresource: subresource, options) { _ in object }
        }
        return answer(updated, call).warning(options.warnings)
    }

    /// Answers PATCH of an object or of its status.
    func patch(_ call: Call, subresource: String?) async throws -> Response {
        let options = try call.writeOptions()
        let patch = try await ObjectPatch(RequestBodyText(call.request))
        let validation = try FieldValidation(call.query)
        let updated = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            try transaction.update(call.index, call.key, subresource: subresource, options) {
                current throws(StatusError) in
                var object = current
                try patch.apply(to: &object, call.definition)
                guard object.at("metadata", "name") == current.at("metadata", "name") else {
                    throw .badRequest(
                        "the name of the object (\(object.at("metadata", "name")?.string ?? "")) does not match the "
                            + "name on the URL (\(call.key.name))")
                }
                try validation.decode(&object, call.resource, duplicates: patch.duplicates, options.warnings)
                return object
            }
        }
        return answer(updated, call).warning(options.warnings)
    }

    /// The object in a request's body, checked against the schema.
    func body(_ call: Call, _ resource: Resource, _ options: WriteOptions) async throws -> JSONValue {
        var (object, duplicates) = try await RequestBodyText(call.request).decode()
        try checkKind(object, resource)
        try FieldValidation(call.query).decode(&object, resource, duplicates: duplicates, options.warnings)
        return object
    }

    private func checkKind(_ object: JSONValue, _ resource: Resource) throws(StatusError) {
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

    private func checkNamespace(_ object: JSONValue, _ call: Call) throws(StatusError) {
        guard call.resource.isNamespaced, let own = object.at("metadata", "namespace")?.string, !own.isEmpty,
            own != call.path.namespace
        else { return }
        throw .badRequest("the namespace of the provided object does not match the namespace sent on the request")
    }
}

/// What happens to fields that the schema does not know (`fieldValidation`).
enum FieldValidation: String, Sendable {
    /// They are dropped silently.
    case ignore = "Ignore"
    /// They are dropped with a warning.
    case warn = "Warn"
    /// The request is refused.
    case strict = "Strict"

    init(_ query: Query) throws(StatusError) {
        guard let text = query["fieldValidation"], !text.isEmpty else {
            self = .warn
            return
        }
        guard let value = Self(rawValue: text) else {
            throw .invalid(
                kind: "CreateOptions", group: "meta.k8s.io", name: "",
                causes: [.notSupported("fieldValidation", .string(text), ["Ignore", "Strict", "Warn"])])
        }
        self = value
    }

    /// Brings an object into the form of its type.
    func decode(
        _ object: inout JSONValue, _ resource: Resource, duplicates: [String], _ warnings: WarningSink
    ) throws(StatusError) {
        guard let node = Schema.node(for: resource) else { return }
        let unknown: [String]
        do throws(SchemaError) {
            unknown = try node.decode(&object, kind: resource.kind)
        } catch {
            throw .badRequest(
                "\(resource.kind) in version \"\(resource.version)\" cannot be handled as a \(resource.kind): \(error)")
        }
        let problems = unknown.map { "unknown field \"\($0)\"" } + duplicates.map { "duplicate field \"\($0)\"" }
        guard !problems.isEmpty else { return }
        switch self {
        case .ignore: break
        case .warn: problems.forEach(warnings.warn)
        case .strict: throw .badRequest("strict decoding error: \(problems.joined(separator: ", "))")
        }
    }
}
