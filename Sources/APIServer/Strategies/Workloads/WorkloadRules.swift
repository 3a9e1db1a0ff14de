import JSON
import KubernetesAPI

/// What is wrong with the parts that all workloads have.
enum WorkloadRules {
    /// Adds the defaults of the pod template.
    static func setTemplateDefaults(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.update("template") { template in
                template.setDefault("metadata", [:])
                template.update("spec", PodDefaults.apply(to:))
            }
        }
    }

    /// - Parameter kind: The kind in lower case, for texts.
    static func validate(_ object: JSONValue, replacing old: JSONValue?, kind: String) -> [FieldError] {
        let path: FieldPath = "spec"
        let spec = object["spec"] ?? [:]
        var errors = selector(spec["selector"], at: path.child("selector"), kind: kind)
        let template = spec["template"] ?? [:]
        let labels = template.at("metadata", "labels")
        if errors.isEmpty, !matches(spec["selector"] ?? [:], labels) {
            errors.append(
                .invalid(
                    "spec.template.metadata.labels", labels ?? [:], "`selector` does not match template `labels`"))
        }
        errors += MetadataRules.labels(labels, at: "spec.template.metadata.labels")
        let templatePath = path.child("template").child("spec")
        errors += PodRules.validate(template["spec"] ?? [:], at: templatePath)
        if template.at("spec", "ephemeralContainers")?.array?.isEmpty == false {
            errors.append(
                .forbidden(
                    templatePath.child("ephemeralContainers"), "ephemeral containers not allowed in pod template"))
        }
        let policy = template.at("spec", "restartPolicy") ?? "Always"
        if policy != "Always" {
            errors.append(.notSupported(templatePath.child("restartPolicy"), policy, ["Always"]))
        }
        for field in ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"] {
            errors += ValueRules.nonnegative(spec[field], at: path.child(field))
        }
        if let old {
            errors += ValueRules.immutable(
                spec["selector"], old.at("spec", "selector"), at: path.child("selector"))
        }
        return errors
    }

    private static func selector(_ selector: JSONValue?, at path: FieldPath, kind: String) -> [FieldError] {
        guard let selector else { return [.required(path)] }
        if selector.object?.isEmpty == true {
            return [.invalid(path, selector, "empty selector is invalid for \(kind)")]
        }
        var errors = MetadataRules.labels(selector["matchLabels"], at: path.child("matchLabels"))
        for (index, requirement) in selector.list("matchExpressions").enumerated() {
            let item = path.child("matchExpressions")[index]
            let hasValues = !requirement.list("values").isEmpty
            switch requirement.text("operator") {
            case "In", "NotIn":
                if !hasValues {
                    errors.append(
                        .required(item.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"))
                }
            case "Exists", "DoesNotExist":
                if hasValues {
                    errors.append(
                        .forbidden(
                            item.child("values"),
                            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
                }
            default:
                errors.append(
                    .invalid(item.child("operator"), requirement["operator"] ?? "", "not a valid selector operator"))
            }
            errors += NameRules.qualifiedName(requirement.text("key")).map {
                .invalid(item.child("key"), .string(requirement.text("key")), $0)
            }
        }
        return errors
    }

    private static func matches(_ selector: JSONValue, _ labels: JSONValue?) -> Bool {
        guard let selector = try? JSONValueDecoder().decode(LabelSelector.self, from: selector) else { return false }
        let pairs = (labels?.object ?? [:]).map { ($0.key, $0.value.string ?? "") }
        return selector.matches(Dictionary(pairs, uniquingKeysWith: { $1 }))
    }

    /// What is wrong with a number or percentage of pods.
    static func share(_ value: JSONValue?, at path: FieldPath) -> [FieldError] {
        guard let value else { return [] }
        if let text = value.string {
            guard text.hasSuffix("%"), let percent = Int(text.dropLast()), percent >= 0 else {
                return [
                    .invalid(
                        path, value,
                        "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or "
                            + "'93%', regex used for validation is '[0-9]+%')")
                ]
            }
            return []
        }
        return ValueRules.nonnegative(value, at: path)
    }

    /// Whether a number or percentage of pods means none.
    static func isZero(_ value: JSONValue?) -> Bool {
        value == nil || value == 0 || value == "0%"
    }
}
