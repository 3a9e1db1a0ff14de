import HTTPTypes
import HummingbirdCore
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
        case .pending(let object):
            // Kubernetes says so only to those who ask in the old way, since other clients would not expect it.
            return answer(object, call, status: options.orphansDependents == false ? .accepted : .ok)
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
        let kind = body["kind"]?.string ?? ""
        guard body.object != nil, kind.isEmpty || kind == DeleteOptions.kind else {
            throw StatusError.badRequest("decoded object cannot be converted to DeleteOptions")
        }
        var options = try DeleteOptions(body, call.query)
        options.write.requester = call.requester
        return options
    }
}

extension DeleteOptions {
    /// The kind of the API.
    static let kind = "DeleteOptions"

    /// Reads `DeleteOptions` of the API.
    init(_ body: JSONValue, _ query: Query) throws(StatusError) {
        self.init()
        var body = body
        do throws(SchemaError) {
            _ = try Self.schema?.decode(&body, kind: Self.kind)
        } catch {
            throw .badRequest("\(Self.kind) in version \"v1\" cannot be handled as a \(Self.kind): \(error)")
        }
        let queried = try query.integer("gracePeriodSeconds")
        gracePeriodSeconds = body["gracePeriodSeconds"]?.int ?? queried
        orphansDependents =
            body["orphanDependents"]?.bool
            ?? query["orphanDependents"].map { _ in
                query.flag("orphanDependents")
            }
        let policy = body["propagationPolicy"]?.string ?? query["propagationPolicy"]
        let dryRun = body["dryRun"]?.array?.map { $0.string ?? "" } ?? query.all("dryRun")
        propagation = policy.flatMap(Propagation.init) ?? orphansDependents.map { $0 ? .orphan : .background }
        var problems: [FieldError] = []
        if let policy {
            if orphansDependents != nil {
                problems.append(
                    .invalid(
                        "propagationPolicy", .string(policy),
                        "orphanDependents and deletionPropagation cannot be both set"))
            }
            if Propagation(rawValue: policy) == nil {
                problems.append(
                    .notSupported(
                        "propagationPolicy", .string(policy), ["Foreground", "Background", "Orphan", "nil"]))
            }
        }
        problems += APIHandler.Call.dryRunProblems(dryRun)
        guard problems.isEmpty else {
            throw .invalid(kind: Self.kind, group: "meta.k8s.io", name: "", causes: problems)
        }
        uid = body.at("preconditions", "uid")?.string
        resourceVersion = body.at("preconditions", "resourceVersion")?.string
        write.isDryRun = dryRun.contains { !$0.isEmpty }
    }

    private static let schema = Schema.type(kind, group: "meta.k8s.io").map { SchemaNode.object($0) }
}
