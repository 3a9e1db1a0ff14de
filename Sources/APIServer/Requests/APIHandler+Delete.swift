import Hummingbird
import JSON
import KubernetesAPI

extension APIHandler {
    /// Answers DELETE of an object.
    func delete(_ call: Call) async throws -> Response {
        let options = try await deleteOptions(call)
        let outcome = try await store.write(isDryRun: options.write.isDryRun) { transaction throws(StatusError) in
            try transaction.delete(call.index, call.key, options)
        }
        switch outcome {
        case .pending(let object): return answer(object, call)
        case .removed(let object) where call.definition.returnsDeletedObject: return answer(object, call)
        case .removed(let object):
            let status: JSONValue = [
                "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success",
                "details": [
                    "name": .string(call.key.name), "group": .string(call.resource.group),
                    "kind": .string(call.resource.plural),
                    "uid": object.value.at("metadata", "uid") ?? "",
                ],
            ]
            return .value(status, OutputFormat(encoding: call.format.encoding))
        }
    }

    /// Answers DELETE of a collection.
    func deleteCollection(_ call: Call) async throws -> Response {
        let options = try await deleteOptions(call)
        let filter = try filter(call)
        let deleted = try await store.write(isDryRun: options.write.isDryRun) { transaction throws(StatusError) in
            var objects: [StoredObject] = []
            transaction.tree(call.index).forEach(namespace: call.path.namespace) { object in
                if filter.matches(object) {
                    objects.append(object)
                }
                return true
            }
            for object in objects {
                _ = try transaction.delete(call.index, object.key, options)
            }
            return objects
        }
        let metadata: JSONValue = ["resourceVersion": .string(String(store.revision))]
        return .value(ObjectView(call).list(deleted, metadata), call.format)
    }

    /// The options from the body, or from the query where the body has none.
    func deleteOptions(_ call: Call) async throws -> DeleteOptions {
        let text = try await RequestBodyText(call.request)
        let body = text.bytes.isEmpty ? [:] : try text.decode().value
        var options = try DeleteOptions(body, call.query)
        options.write.requester = call.requester
        return options
    }
}

extension DeleteOptions {
    /// Reads `DeleteOptions` of the API.
    init(_ body: JSONValue, _ query: Query) throws(StatusError) {
        self.init()
        let queried = try query.integer("gracePeriodSeconds")
        gracePeriodSeconds = body["gracePeriodSeconds"]?.int ?? queried
        if let text = body["propagationPolicy"]?.string ?? query["propagationPolicy"] {
            guard let policy = Propagation(rawValue: text) else {
                throw .invalid(
                    kind: "DeleteOptions", group: "meta.k8s.io", name: "",
                    causes: [
                        .notSupported("propagationPolicy", .string(text), ["Foreground", "Background", "Orphan"])
                    ])
            }
            propagation = policy
        } else if let orphans = body["orphanDependents"]?.bool {
            propagation = orphans ? .orphan : .background
        }
        uid = body.at("preconditions", "uid")?.string
        resourceVersion = body.at("preconditions", "resourceVersion")?.string
        let dryRun = body["dryRun"]?.array?.map { $0.string ?? "" } ?? query.all("dryRun")
        write.isDryRun = try APIHandler.Call.isDryRun(dryRun, "DeleteOptions")
    }
}
