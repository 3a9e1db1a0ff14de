package import JSON
package import KubernetesAPI

/// The requirements of node selectors.
package enum NodeSelectorRules {
    /// What is wrong with a requirement on labels.
    package static func requirement(_ requirement: JSONValue, at path: FieldPath) -> [FieldError] {
        let values = requirement.list("values")
        var errors = NameRules.qualifiedName(requirement.text("key")).map {
            FieldError.invalid(path.child("key"), .string(requirement.text("key")), $0)
        }
        switch requirement.text("operator") {
        case "In", "NotIn":
            if values.isEmpty {
                errors.append(.required(path.child("values"), "must be specified when `operator` is 'In' or 'NotIn'"))
            }
        case "Exists", "DoesNotExist":
            if !values.isEmpty {
                errors.append(
                    .forbidden(
                        path.child("values"), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
            }
        case "Gt", "Lt":
            if values.count != 1 {
                errors.append(
                    .required(path.child("values"), "must be specified single value when `operator` is 'Lt' or 'Gt'"))
            }
        default:
            errors.append(
                .invalid(path.child("operator"), requirement["operator"] ?? "", "not a valid selector operator"))
        }
        return errors
    }

    /// What is wrong with a requirement on fields.
    package static func field(_ requirement: JSONValue, at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        switch requirement.text("operator") {
        case "In", "NotIn":
            if requirement.list("values").count != 1 {
                errors.append(
                    .required(
                        path.child("values"),
                        "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
            }
        default:
            errors.append(
                .invalid(path.child("operator"), requirement["operator"] ?? "", "not a valid selector operator"))
        }
        if requirement.text("key") != "metadata.name" {
            errors.append(
                .invalid(path.child("key"), .string(requirement.text("key")), "not a valid field selector key"))
        }
        return errors
    }
}
