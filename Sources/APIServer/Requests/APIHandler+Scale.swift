import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI

extension APIHandler {
    /// Reads or writes the number of replicas as a `Scale`.
    func scale(_ call: Call) async throws -> Response {
        guard let current = store.object(call.index, call.key) else {
            throw StatusError.notFound(call.resource, call.key.name)
        }
        if call.request.method == .get { return .value(Scale.value(of: current.value), call.format) }
        let text = try await RequestBodyText(call.request)
        if call.request.method == .patch, text.type == AppliedConfiguration.mediaType {
            let (object, _, warnings) = try await applied(call, text, subresource: Scale.subresource)
            return .value(Scale.value(of: object.value), call.format).warning(warnings)
        }
        let options = try call.writeOptions()
        let validation = try FieldValidation(call.query)
        let change = try ScaleChange(text, call, validation, options.warnings)
        let updated = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            try transaction.update(call.index, call.key, subresource: Scale.subresource, options) {
                object throws(StatusError) in
                let scale = try change.scale(replacing: Scale.value(of: object), validation, options.warnings)
                try checkKind(scale, Scale.definition.resource)
                try call.checkPlace(scale)
                return try Scale.apply(scale, to: object)
            }
        }
        return .value(Scale.value(of: updated.value), call.format).warning(options.warnings)
    }
}

/// What a PUT or PATCH makes of a scale.
private enum ScaleChange: Sendable {
    case replacement(JSONValue)
    case patch(ObjectPatch)

    init(
        _ body: RequestBodyText, _ call: APIHandler.Call, _ validation: FieldValidation, _ warnings: WarningSink
    ) throws(StatusError) {
        guard call.request.method != .patch else {
            self = .patch(try ObjectPatch(body))
            return
        }
        var (scale, duplicates) = try body.decode()
        try validation.decode(&scale, Scale.definition.resource, duplicates: duplicates, warnings)
        self = .replacement(scale)
    }

    /// The scale that shall be.
    func scale(
        replacing current: JSONValue, _ validation: FieldValidation, _ warnings: WarningSink
    ) throws(StatusError) -> JSONValue {
        switch self {
        case .replacement(let scale): return scale
        case .patch(let patch):
            var scale = current
            try patch.apply(to: &scale, Scale.definition)
            try validation.decode(
                patched: &scale, Scale.definition.resource, by: patch.shown, duplicates: patch.duplicates, warnings)
            return scale
        }
    }
}
