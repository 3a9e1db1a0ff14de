import JSON
import KubernetesAPI

/// The containers that are added to a running pod through a subresource, to look into it.
enum EphemeralContainers {
    /// The subresource by which alone they come.
    static let subresource = "ephemeralcontainers"
    /// The kind that clients up to 1.21 send and read there instead of the pod.
    static let legacyKind = "EphemeralContainers"

    private static let path: FieldPath = "spec.ephemeralContainers"

    /// What a pod's containers have and these may not: others must not come to depend on them.
    private static let absentFields = [
        "ports", "resources", "resizePolicy", "restartPolicy", "restartPolicyRules", "livenessProbe",
        "readinessProbe", "startupProbe", "lifecycle",
    ]

    /// What is wrong with a new pod that has some already.
    static func refuseCreation(_ containers: [JSONValue]) -> [FieldError] {
        containers.isEmpty ? [] : [.forbidden(path, "cannot be set on create")]
    }

    /// What is wrong with those of a pod, and with what became of those that it had.
    static func validate(_ spec: JSONValue, replacing old: JSONValue) -> [FieldError] {
        let containers = spec.list("ephemeralContainers")
        var volumeErrors: [FieldError] = []
        let volumes = VolumeRules.validate(spec.list("volumes"), at: "spec.volumes", &volumeErrors)
        let others = (spec.list("initContainers") + spec.list("containers")).map { $0.text("name") }
        var names = Set(others)
        var errors: [FieldError] = []
        for (index, container) in containers.enumerated() {
            let item = path[index]
            errors += ContainerRules.validate(container, at: item, volumes: volumes)
            errors += ValueRules.uniqueLabel(container.text("name"), at: item.child("name"), &names)
            let target = container.text("targetContainerName")
            if !target.isEmpty, !others.contains(target) {
                errors.append(.notFound(item.child("targetContainerName"), .string(target)))
            }
            errors += absences(container, at: item)
        }
        for before in old.list("ephemeralContainers") {
            let name = before.text("name")
            guard let now = containers.first(where: { $0.text("name") == name }) else {
                errors.append(.forbidden(path, "existing ephemeral containers \"\(name)\" may not be removed\n"))
                continue
            }
            if now != before {
                errors.append(.forbidden(path, "existing ephemeral containers \"\(name)\" may not be changed\n"))
            }
        }
        return errors
    }

    private static func absences(_ container: JSONValue, at item: FieldPath) -> [FieldError] {
        let text = "cannot be set for an Ephemeral Container"
        var errors = absentFields.filter { field in
            guard let value = container[field], !value.isNull else { return false }
            return value.object?.isEmpty != true && value.array?.isEmpty != true
        }.map { FieldError.forbidden(item.child($0), text) }
        for (index, mount) in container.list("volumeMounts").enumerated() {
            for field in ["subPath", "subPathExpr"] where !mount.text(field).isEmpty {
                errors.append(.forbidden(item.child("volumeMounts")[index].child(field), text))
            }
        }
        return errors
    }

    /// The pod that an old client means: it does not know those that are there, which stay.
    static func pod(_ pod: JSONValue, adding body: JSONValue) -> JSONValue {
        var list = pod.at("spec", "ephemeralContainers")?.array ?? []
        for container in body.list("ephemeralContainers") {
            if let index = list.firstIndex(where: { $0.text("name") == container.text("name") }) {
                list[index] = container
            } else {
                list.append(container)
            }
        }
        var result = pod
        result.set(.array(list), at: "spec", "ephemeralContainers")
        return result
    }
}
