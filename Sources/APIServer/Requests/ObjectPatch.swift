import JSON
import KubernetesAPI

/// A patch in one of the formats of the API.
struct ObjectPatch: Sendable {
    private enum Format: Sendable {
        case json(JSONPatch)
        case merge(JSONValue)
        case strategic(JSONValue)
    }

    private static let jsonType = "application/json-patch+json"
    private static let mergeType = "application/merge-patch+json"
    private static let strategicType = "application/strategic-merge-patch+json"
    private static let maximumOperations = 10_000

    private let format: Format
    /// Paths of keys that occurred twice, as warnings tell them.
    let duplicates: [String]

    /// What a refusal of the outcome shows instead of it; nil when it shows the outcome itself.
    var shown: JSONValue? {
        guard case .strategic(let patch) = format else { return nil }
        return patch
    }

    /// Reads the body of a PATCH.
    init(_ body: RequestBodyText) throws(StatusError) {
        guard [Self.jsonType, Self.mergeType, Self.strategicType].contains(body.type) else {
            throw .unsupportedMediaType(
                accepted: [Self.jsonType, Self.mergeType, Self.strategicType, AppliedConfiguration.mediaType])
        }
        let (value, duplicates) = try RequestBodyText.json(body.bytes)
        let prefix = body.type == Self.jsonType ? "json patch " : ""
        self.duplicates = duplicates.map { "\(prefix)duplicate field \"\($0)\"" }
        guard body.type == Self.jsonType else {
            guard value.object != nil else {
                throw .badRequest("error decoding patch: a merge patch must be an object")
            }
            format = body.type == Self.mergeType ? .merge(value) : .strategic(value)
            return
        }
        guard let operations = value.array else {
            throw .badRequest("error decoding patch: a JSON patch must be an array of operations")
        }
        guard operations.count <= Self.maximumOperations else {
            throw StatusError(
                code: 413, reason: "RequestEntityTooLarge",
                message: "Request entity too large: The allowed maximum operations in a JSON patch is "
                    + "\(Self.maximumOperations), got \(operations.count)")
        }
        do throws(JSONPatchError) {
            format = .json(try JSONPatch(value))
        } catch {
            throw Self.refusal(error)
        }
    }

    /// The words of Kubernetes, and as a cause which operation failed and why.
    private static func refusal(_ error: JSONPatchError) -> StatusError {
        StatusError(
            code: 422, reason: "Invalid",
            message: "the server rejected our request due to an error in our request",
            details: .init(causes: [.init(reason: "FieldValueInvalid", message: "\(error)", field: "patch")]))
    }

    /// Changes an object of the resource.
    func apply(to object: inout JSONValue, _ definition: ResourceDefinition) throws(StatusError) {
        switch format {
        case .json(let patch):
            do throws(JSONPatchError) {
                try patch.apply(to: &object)
            } catch {
                throw Self.refusal(error)
            }
        case .merge(let patch): object.mergePatch(patch)
        case .strategic(let patch):
            guard let node = Schema.node(for: definition.resource) else {
                throw .unsupportedMediaType(accepted: [Self.jsonType, Self.mergeType])
            }
            try StrategicMergePatch.apply(patch, to: &object, schema: node)
        }
        guard object.object != nil else { throw .badRequest("the patch does not leave an object") }
    }
}
