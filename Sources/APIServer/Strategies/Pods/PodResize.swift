import JSON
import KubernetesAPI

/// Changes of what the containers of a pod may use, through a subresource (KEP-1287).
enum PodResize {
    /// The subresource by which alone they come.
    static let subresource = "resize"

    private static let lists = ["containers", "initContainers"]
    private static let changing = ["resources", "resizePolicy"]
    private static let amounts = ["cpu", "memory"]
    private static let mirrorAnnotation = "kubernetes.io/config.mirror"

    /// The old specification with the sent resources; containers that are not those of the pod stay as they were sent, to be
    /// refused.
    static func merged(_ sent: JSONValue, into old: JSONValue) -> JSONValue {
        var spec = old
        for list in lists where sent[list] != nil || old[list] != nil {
            let before = old.list(list)
            let containers = sent.list(list).enumerated().map { index, container -> JSONValue in
                guard index < before.count, before[index]["name"] == container["name"] else { return container }
                var result = before[index]
                for field in changing { result[field] = container[field] }
                return result
            }
            spec[list] = .array(containers)
        }
        return spec
    }

    /// What is wrong with new resources.
    static func validate(_ pod: JSONValue, replacing old: JSONValue) -> [FieldError] {
        let (spec, before) = (pod["spec"] ?? [:], old["spec"] ?? [:])
        guard old.at("metadata", "annotations", mirrorAnnotation) == nil else {
            return [.forbidden("", "static pods cannot be resized")]
        }
        let order = lists.flatMap { containersErrors(spec.list($0), before.list($0), at: FieldPath("spec").child($0)) }
        guard order.isEmpty else { return order }
        var errors = PodRules.validate(spec, at: "spec")
        let quality = QualityOfService.of(spec)
        if quality != QualityOfService.of(before) {
            errors.append(
                .invalid("spec", .string(quality), "Pod QOS Class may not change as a result of resizing"))
        }
        if !isSupported(by: old) {
            errors.append(.forbidden("spec", "Pod running on node without support for resize"))
        }
        for list in lists {
            for (index, (new, old)) in zip(spec.list(list), before.list(list)).enumerated() {
                let path = FieldPath("spec").child(list)[index].child("resources")
                errors += changeErrors(
                    new["resources"] ?? [:], old["resources"] ?? [:], at: path,
                    mayChange: list == "containers" || old["restartPolicy"] == "Always")
            }
        }
        return errors
    }

    /// A node that can resize containers says in the pod's status what those that run may use.
    private static func isSupported(by pod: JSONValue) -> Bool {
        let running = (pod.at("status", "containerStatuses")?.array ?? []).first { $0.at("state", "running") != nil }
        return running.map { $0["resources"] != nil } ?? true
    }

    private static func containersErrors(
        _ new: [JSONValue], _ old: [JSONValue], at path: FieldPath
    ) -> [FieldError] {
        guard new.count == old.count else {
            return [.forbidden(path, "containers may not be added or removed on resize")]
        }
        return new.indices.filter { new[$0]["name"] != old[$0]["name"] }.map {
            .forbidden(path[$0].child("name"), "containers may not be renamed or reordered on resize")
        }
    }

    private static func changeErrors(
        _ new: JSONValue, _ old: JSONValue, at path: FieldPath, mayChange: Bool
    ) -> [FieldError] {
        guard new != old else { return [] }
        guard mayChange else {
            return [.forbidden(path, "resources for non-sidecar init containers are immutable")]
        }
        var errors: [FieldError] = []
        for kind in ["limits", "requests"]
        where amounts.contains(where: { old.at(kind, $0) != nil && new.at(kind, $0) == nil }) {
            errors.append(.forbidden(path.child(kind), "resource \(kind) cannot be removed"))
        }
        if rest(of: new) != rest(of: old) {
            errors.append(.forbidden("spec", "only cpu and memory resources are mutable"))
        }
        return errors
    }

    /// What of a container's resources is neither processor time nor memory.
    private static func rest(of resources: JSONValue) -> JSONValue {
        var rest = resources
        for kind in ["limits", "requests"] {
            for amount in amounts { rest.set(nil, at: kind, amount) }
            if rest[kind]?.object?.isEmpty ?? false { rest[kind] = nil }
        }
        return rest
    }
}
