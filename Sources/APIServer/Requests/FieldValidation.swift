import JSON
import KubernetesAPI

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

    /// Brings an object from a client into the form of its type.
    func decode(
        _ object: inout JSONValue, _ resource: Resource, duplicates: [String], _ warnings: WarningSink
    ) throws(StatusError) {
        let unknown: [String]
        do throws(SchemaError) {
            unknown = try Self.decode(&object, resource)
        } catch {
            throw .badRequest(
                "\(resource.kind) in version \"\(resource.version)\" cannot be handled as a \(resource.kind): \(error)")
        }
        try report(unknown + duplicates.map { "duplicate field \"\($0)\"" }, warnings) { text in
            .badRequest("strict decoding error: \(text)")
        }
    }

    /// Brings the outcome of a patch into the form of its type.
    ///
    /// - Parameter patch: What a refusal shows; nil shows the outcome.
    func decode(
        patched object: inout JSONValue, _ resource: Resource, by patch: JSONValue?, duplicates: [String],
        _ warnings: WarningSink
    ) throws(StatusError) {
        let outcome = object
        func refusal(_ text: String) -> StatusError {
            let shown = patch ?? outcome
            return .invalid(
                kind: "", group: "", name: "", causes: [.invalid("patch", .string(shown.text()), text)])
        }
        let unknown: [String]
        do throws(SchemaError) {
            unknown = try Self.decode(&object, resource)
        } catch {
            throw refusal("\(error)")
        }
        try report(duplicates + unknown, warnings) { refusal("strict decoding error: \($0)") }
    }

    /// Warns of problems, or refuses the request for them.
    func report(
        _ problems: [String], _ warnings: WarningSink, _ refusal: (String) -> StatusError
    ) throws(StatusError) {
        guard !problems.isEmpty else { return }
        switch self {
        case .ignore: break
        case .warn: problems.forEach(warnings.warn)
        case .strict: throw refusal(problems.joined(separator: ", "))
        }
    }

    /// - Returns: What is wrong about unknown fields.
    private static func decode(_ object: inout JSONValue, _ resource: Resource) throws(SchemaError) -> [String] {
        guard let node = Schema.node(for: resource) else { return [] }
        let isReset = object.at("metadata", "managedFields").map(ManagedFields.isReset) ?? false
        let unknown = try node.decode(&object, kind: resource.kind)
        // An empty list of owners is no missing one.
        if isReset { object.set([[:]], at: "metadata", "managedFields") }
        return unknown.map { "unknown field \"\($0)\"" }
    }
}
