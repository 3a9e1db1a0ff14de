import JSON
import KubernetesAPI

/// What is wrong with a reference to a field of the pod itself (downward API).
enum FieldReferenceRules {
    /// What environment variables may show: the addresses too, since they are known before a container starts.
    static let environment = [
        "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
        "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
    ]
    /// What files may show.
    static let files = [
        "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid",
    ]
    /// Fields that exist, though neither of the two shows them.
    private static let others = ["spec.host", "spec.restartPolicy", "spec.schedulerName", "status.phase"]

    /// - Parameter offered: The fields that can be had in this place.
    static func validate(_ reference: JSONValue, at path: FieldPath, offered: [String]) -> [FieldError] {
        let (text, textPath) = (reference.text("fieldPath"), path.child("fieldPath"))
        if text.isEmpty { return [.required(textPath)] }
        func inconvertible(_ cause: String) -> [FieldError] {
            [.invalid(textPath, .string(text), "error converting fieldPath: \(cause)")]
        }
        let version = reference.text("apiVersion")
        guard version == "v1" else { return inconvertible("unsupported pod version: \(version)") }
        if text.hasSuffix("']"), let open = text.firstRange(of: "['") {
            let key = String(text[open.upperBound...].dropLast(2))
            switch text[..<open.lowerBound] {
            case "metadata.labels": return NameRules.qualifiedName(key).map { .invalid(path, .string(key), $0) }
            case "metadata.annotations":
                return NameRules.qualifiedName(key.lowercased()).map { .invalid(path, .string(key.lowercased()), $0) }
            default: return inconvertible("field label does not support subscript: \(text)")
            }
        }
        guard (environment + files + others).contains(text) else {
            return inconvertible("field label not supported: \(text)")
        }
        return offered.contains(text) ? [] : [.notSupported(textPath, .string(text), offered)]
    }

    /// The same for the files of a volume.
    static func validateFiles(_ source: JSONValue, at path: FieldPath) -> [FieldError] {
        source.list("items").enumerated().flatMap { index, item -> [FieldError] in
            let itemPath = path.child("items")[index]
            if let reference = item["fieldRef"], !reference.isNull {
                return validate(reference, at: itemPath.child("fieldRef"), offered: files)
            }
            guard item["resourceFieldRef"]?.object != nil else {
                return [.required(itemPath, "one of `fieldRef` and `resourceFieldRef` is required")]
            }
            return []
        }
    }
}
