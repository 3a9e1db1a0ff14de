import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI

extension APIHandler {
    /// Answers requests for what hangs below an object.
    func subresource(_ call: Call) async throws -> Response {
        let name = call.path.subresource ?? ""
        guard let subresource = call.definition.subresources.first(where: { $0.name == name }),
            call.path.rest.isEmpty || name == "proxy"
        else { throw StatusError.unknownPath() }
        let method = call.request.method
        switch (name, method) {
        case ("status", .get), ("finalize", .get): return try get(call)
        case ("status", .put), ("finalize", .put): return try await update(call, subresource: name)
        case ("status", .patch): return try await patch(call, subresource: name)
        case (EphemeralContainers.subresource, .get), (PodResize.subresource, .get): return try get(call)
        case (EphemeralContainers.subresource, .put): return try await putEphemeralContainers(call)
        case (EphemeralContainers.subresource, .patch), (PodResize.subresource, .patch):
            return try await patch(call, subresource: name)
        case (PodResize.subresource, .put): return try await update(call, subresource: name)
        case ("scale", .get), ("scale", .put), ("scale", .patch): return try await scale(call)
        case ("binding", .post): return try await bind(call)
        case ("eviction", .post): return try await evict(call)
        case ("token", .post): return try await token(call)
        case ("log", .get): return try await nodes.log(of: call, store)
        case ("exec", .get), ("exec", .post): return try await nodes.stream(.exec, of: call, store)
        case ("attach", .get), ("attach", .post): return try await nodes.stream(.attach, of: call, store)
        case ("portforward", .get), ("portforward", .post):
            return try await nodes.stream(.portForward, of: call, store)
        case ("proxy", _): return try await nodes.proxy(call, store)
        default:
            throw StatusError.methodNotAllowed(call.resource, "\(method.rawValue.lowercased()) of \(subresource.name)")
        }
    }

    /// Replaces a pod's ephemeral containers; clients up to 1.21 send them in an object of their own kind.
    private func putEphemeralContainers(_ call: Call) async throws -> Response {
        let (body, duplicates) = try await RequestBodyText(call.request).decode()
        let options = try call.writeOptions()
        guard body["kind"]?.string == EphemeralContainers.legacyKind else {
            let pod = try self.body(body, duplicates, call, call.resource, options)
            return try await update(call, subresource: EphemeralContainers.subresource, pod, options)
        }
        try call.checkPlace(body)
        var added = EphemeralContainers.pod([:], adding: body)
        try FieldValidation(call.query).decode(&added, call.resource, duplicates: duplicates, options.warnings)
        let containers = added["spec"] ?? [:]
        let updated = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            try transaction.update(call.index, call.key, subresource: EphemeralContainers.subresource, options) { pod in
                EphemeralContainers.pod(pod, adding: containers)
            }
        }
        return answer(updated, call).warning(options.warnings)
    }

    /// Deletes a pod on behalf of a drained node.
    private func evict(_ call: Call) async throws -> Response {
        let body = try await RequestBodyText(call.request).decode().value
        let options = try DeleteOptions(body["deleteOptions"] ?? [:], call.query)
        _ = try await store.write(isDryRun: options.write.isDryRun) { transaction throws(StatusError) in
            try transaction.delete(call.index, call.key, options)
        }
        let status: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201,
        ]
        return .value(status, status: .created)
    }
}

extension JSONValue {
    /// Sets a condition of `status.conditions`, keeping the time of its last transition when its status stays.
    mutating func setCondition(_ type: String, status: String) {
        var conditions = at("status", "conditions")?.array ?? []
        let index = conditions.firstIndex { $0["type"]?.string == type }
        if let index, conditions[index]["status"]?.string == status { return }
        let condition: JSONValue = [
            "type": .string(type), "status": .string(status), "lastProbeTime": .null,
            "lastTransitionTime": .string(Timestamp.now.description),
        ]
        if let index {
            conditions[index] = condition
        } else {
            conditions.append(condition)
        }
        set(.array(conditions), at: "status", "conditions")
    }
}
