import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI

extension APIHandler {
    private static let placeOfErrors = Resource(
        group: "", version: "v1", plural: "pods/binding", kind: "Binding", isNamespaced: true)

    /// Assigns a pod to a node: the pod of the path, or the one that a Binding names which is sent to `bindings`.
    func bind(_ call: Call) async throws -> Response {
        let options = try call.writeOptions()
        let binding = try await body(call, .bindings, options)
        try call.checkNamespace(binding)
        let name = binding.at("metadata", "name")?.string ?? ""
        guard call.key.name.isEmpty || name.isEmpty || name == call.key.name else {
            throw StatusError.badRequest("name in URL does not match name in Binding object")
        }
        let key = call.key.name.isEmpty ? ObjectKey(namespace: call.key.namespace, name: name) : call.key
        let problems = Self.problems(of: binding, key)
        guard problems.isEmpty, let pods = store.index(of: .pods) else {
            throw StatusError.invalid(kind: "Binding", group: "", name: key.name, causes: problems)
        }
        _ = try await store.write(isDryRun: options.isDryRun) { transaction throws(StatusError) in
            try transaction.update(pods, key, subresource: "binding", options) { pod throws(StatusError) in
                try Self.bound(pod, by: binding, key)
            }
        }
        let status: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201,
        ]
        return .value(status, call.format, status: .created).warning(options.warnings)
    }

    private static func problems(of binding: JSONValue, _ key: ObjectKey) -> [FieldError] {
        var problems: [FieldError] = []
        if key.name.isEmpty { problems.append(.required("metadata.name", "name of the pod is required")) }
        let kind = binding.at("target", "kind")?.string ?? ""
        if !kind.isEmpty, kind != "Node" {
            problems.append(.notSupported("target.kind", .string(kind), ["Node", "<empty>"]))
        }
        if binding.at("target", "name")?.string ?? "" == "" { problems.append(.required("target.name")) }
        return problems
    }

    /// The pod on its node, if it may be assigned to one.
    private static func bound(
        _ pod: JSONValue, by binding: JSONValue, _ key: ObjectKey
    ) throws(StatusError) -> JSONValue {
        guard !pod.isTerminating else {
            throw .conflict(
                placeOfErrors, key.name, "pod \(key.name) is being deleted, cannot be assigned to a host")
        }
        if let assigned = pod.at("spec", "nodeName")?.string, !assigned.isEmpty {
            throw .conflict(
                placeOfErrors, key.name, "pod \(key.name) is already assigned to node \"\(assigned)\"")
        }
        var pod = pod
        for field in ["uid", "resourceVersion"] {
            if let sent = binding.at("metadata", field)?.string, !sent.isEmpty {
                pod.set(.string(sent), at: "metadata", field)
            }
        }
        for (name, text) in binding.at("metadata", "annotations")?.object ?? [:] {
            pod.set(text, at: "metadata", "annotations", name)
        }
        pod.set(binding.at("target", "name"), at: "spec", "nodeName")
        pod.setCondition("PodScheduled", status: "True")
        return pod
    }
}
