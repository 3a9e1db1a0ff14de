import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI

extension APIHandler {
    /// Answers PATCH with a configuration to apply (KEP-555): what the client says holds, and what it no longer says goes.
    func apply(_ call: Call, _ body: RequestBodyText, subresource: String?) async throws -> Response {
        let (object, isNew, warnings) = try await applied(call, body, subresource: subresource)
        return answer(object, call, status: isNew ? .created : .ok).warning(warnings)
    }

    /// The object after an apply, and whether it made it.
    func applied(
        _ call: Call, _ body: RequestBodyText, subresource: String?
    ) async throws -> (object: StoredObject, isNew: Bool, warnings: WarningSink) {
        var options = try call.writeOptions()
        guard case .manager(let manager) = options.tracking, call.query["fieldManager"]?.isEmpty == false else {
            throw StatusError.invalid(
                kind: "PatchOptions", group: "meta.k8s.io", name: "",
                causes: [.required("fieldManager", "is required for apply patch")])
        }
        options.tracking = .applied
        let writeOptions = options
        let validation = try FieldValidation(call.query)
        let configuration = try AppliedConfiguration(body, call, subresource, validation, options.warnings)
        let isForced = call.query.flag("force")
        let (object, isNew) = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            guard let live = transaction.object(call.index, call.key) else {
                guard subresource == nil else { throw .notFound(call.resource, call.key.name) }
                try call.requireCreation()
                try configuration.checkIsNew(call)
                let object = try configuration.apply(to: nil, manager, subresource, isForced: isForced, call)
                try call.checkForm(of: object)
                let namespace = call.key.namespace
                return (try transaction.create(object, call.index, namespace: namespace, writeOptions), true)
            }
            let updated = try transaction.update(call.index, live.key, subresource: subresource, writeOptions) {
                live throws(StatusError) in
                try configuration.apply(to: live, manager, subresource, isForced: isForced, call)
            }
            return (updated, false)
        }
        return (object, isNew, options.warnings)
    }
}

/// The body of a server-side apply.
struct AppliedConfiguration: Sendable {
    static let mediaType = "application/apply-patch+yaml"

    /// As the client sent it.
    private let text: JSONValue
    /// What of it is applied, as a part of the stored object.
    private let value: JSONValue

    init(
        _ body: RequestBodyText, _ call: APIHandler.Call, _ subresource: String?, _ validation: FieldValidation,
        _ warnings: WarningSink
    ) throws(StatusError) {
        let resource = subresource == Scale.subresource ? Scale.definition.resource : call.resource
        let (sent, duplicates) = try Self.read(body.bytes)
        guard sent.object != nil else { throw .badRequest("error decoding YAML: a configuration must be an object") }
        text = sent
        let kind = Self.kind(sent)
        guard kind == Self.kind(resource) else { throw .badRequest("invalid object type: \(kind)") }
        guard sent.at("metadata", "managedFields")?.isNull ?? true else {
            throw .badRequest("metadata.managedFields must be nil")
        }
        try call.checkPlace(sent)
        var value = sent
        value.set(.string(call.key.name), at: "metadata", "name")
        let unknown: [String]
        do throws(SchemaError) {
            let node = Schema.node(for: resource)
            unknown = try node?.decode(&value, kind: resource.kind, keepsEmpty: true) ?? []
        } catch {
            throw .untyped("\(error)", call)
        }
        let problems = unknown.map { ".\($0): field not declared in schema" }
        guard problems.isEmpty else {
            throw .untyped(
                problems.count == 1 ? problems[0] : (["errors:"] + problems).joined(separator: "\n  "), call)
        }
        try validation.report(duplicates.map { "duplicate field \"\($0)\"" }, warnings) { text in
            .badRequest("error strict decoding YAML: \(text)")
        }
        self.value =
            subresource == Scale.subresource
            ? try Scale.configuration(value, of: call.resource)
            : call.definition.stored(Self.relevant(value, subresource, call.definition))
    }

    /// A configuration may be written in JSON or in YAML under the one media type.
    private static func read(_ bytes: [UInt8]) throws(StatusError) -> (value: JSONValue, duplicates: [String]) {
        do throws(StatusError) {
            let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
            if first == UInt8(ascii: "{") { return try RequestBodyText.json(bytes) }
            return (try YAMLText.read(String(decoding: bytes, as: UTF8.self)), [])
        } catch {
            throw .badRequest("error decoding YAML: \(error.message)")
        }
    }

    private static func kind(_ object: JSONValue) -> String {
        let version = object["apiVersion"]?.string ?? ""
        return "\(version.contains("/") ? "" : "/")\(version), Kind=\(object["kind"]?.string ?? "")"
    }

    static func kind(_ resource: Resource) -> String {
        "\(resource.group)/\(resource.version), Kind=\(resource.kind)"
    }

    /// A write of the object leaves its status alone, and a write of the status everything else.
    private static func relevant(
        _ value: JSONValue, _ subresource: String?, _ definition: ResourceDefinition
    ) -> JSONValue {
        var value = value
        if subresource == nil {
            if definition.hasStatusSubresource { value["status"] = nil }
            return value
        }
        for key in value.object?.keys ?? [] where !["apiVersion", "kind", "metadata", "status"].contains(key) {
            value[key] = nil
        }
        return value
    }

    /// Refuses to create an object of which the client says that it exists.
    func checkIsNew(_ call: APIHandler.Call) throws(StatusError) {
        if let uid = value.at("metadata", "uid")?.string, !uid.isEmpty {
            throw .conflict(
                call.resource, call.key.name,
                "uid mismatch: the provided object specified uid \(uid), and no existing object was found")
        }
        if value.at("metadata", "resourceVersion")?.string?.isEmpty == false {
            throw .modified(call.resource, call.key.name)
        }
    }

    /// The object after the apply, with its owners.
    func apply(
        to live: JSONValue?, _ manager: String, _ subresource: String?, isForced: Bool, _ call: APIHandler.Call
    ) throws(StatusError) -> JSONValue {
        var live = live
        let owners = live?.takeManagedFields()
        let request = ApplyRequest(
            writer: call.stored.writer(manager, subresource, at: Timestamp.now.description), live: live,
            owners: ManagedFields(stored: owners, apiVersion: call.stored.resource.apiVersion), configuration: value,
            isForced: isForced, shape: .of(call.stored.resource))
        do throws(ApplyFailure) {
            var (object, owners) = try request.run()
            if subresource == nil { LastApplied.update(&object, with: text, manager: manager) }
            try? FieldValidation.ignore.decode(&object, call.stored.resource, duplicates: [], WarningSink())
            object.set(owners.json, at: "metadata", "managedFields")
            return object
        } catch {
            throw StatusError(error, call)
        }
    }
}

extension StatusError {
    fileprivate init(_ failure: ApplyFailure, _ call: APIHandler.Call) {
        switch failure {
        case .malformed(let error): self = .untyped("\(error)", call)
        case .conflict(let conflict): self = .applyConflict(conflict)
        }
    }

    /// 400: a configuration does not fit its type.
    fileprivate static func untyped(_ problem: String, _ call: APIHandler.Call) -> StatusError {
        .badRequest(
            "failed to create typed patch object (\(call.key.namespace)/\(call.key.name); "
                + "\(AppliedConfiguration.kind(call.resource))): \(problem)")
    }

    /// 409: other managers own fields that an apply would change.
    static func applyConflict(_ conflict: ApplyConflict) -> StatusError {
        let fields = conflict.fields
        var message = "Apply failed with \(fields.count) conflict"
        if fields.count == 1 {
            message += ": conflict with \(fields[0].manager): \(fields[0].path)"
        } else {
            var lines: [String] = []
            var manager: String?
            for field in fields {
                if field.manager != manager { lines.append("conflicts with \(field.manager):") }
                manager = field.manager
                lines.append("- \(field.path)")
            }
            message += "s: \(lines.joined(separator: "\n"))"
        }
        return StatusError(
            code: 409, reason: "Conflict", message: message,
            details: Details(
                causes: fields.map {
                    Cause(
                        reason: "FieldManagerConflict", message: "conflict with \($0.manager)", field: $0.path)
                }))
    }
}
