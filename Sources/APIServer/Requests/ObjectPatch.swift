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
    /// Paths of keys that occurred twice.
    let duplicates: [String]

    /// Reads the body of a PATCH.
    init(_ body: RequestBodyText) throws(StatusError) {
        guard [Self.jsonType, Self.mergeType, Self.strategicType].contains(body.type) else {
            throw .unsupportedMediaType(accepted: [Self.jsonType, Self.mergeType, Self.strategicType])
        }
        let (value, duplicates) = try RequestBodyText.json(body.bytes)
        self.duplicates = duplicates
        switch body.type {
        case Self.jsonType:
            guard value.array?.count ?? 0 <= Self.maximumOperations else {
                throw .requestEntityTooLarge(limit: Self.maximumOperations)
            }
            do throws(JSONPatchError) {
                format = .json(try JSONPatch(value))
            } catch {
                throw .badRequest("error decoding patch: \(error)")
            }
        default:
            guard value.object != nil else { throw .badRequest("a merge patch must be an object") }
            format = body.type == Self.mergeType ? .merge(value) : .strategic(value)
        }
    }

    /// Changes an object of the resource.
    func apply(to object: inout JSONValue, _ definition: ResourceDefinition) throws(StatusError) {
        switch format {
        case .json(let patch):
            do throws(JSONPatchError) {
                try patch.apply(to: &object)
            } catch {
                throw StatusError(
                    code: 422, reason: "Invalid",
                    message: "the server rejected our request due to an error in our request: \(error)")
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
