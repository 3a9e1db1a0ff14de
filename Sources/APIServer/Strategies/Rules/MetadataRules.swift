package import JSON
package import KubernetesAPI

/// The rules of `metadata` that every resource shares, apart from those that storage itself keeps.
package enum MetadataRules {
    private static let annotationsLimit = 256 * 1024
    private static let standardFinalizers: Set<String> = ["kubernetes", "orphan", "foregroundDeletion"]

    /// What is wrong with the metadata of an object.
    ///
    /// - Parameter name: The syntax of the resource's names.
    package static func validate(_ object: JSONValue, name rule: (String) -> [String]) -> [FieldError] {
        let path: FieldPath = "metadata"
        let metadata = object["metadata"] ?? [:]
        var errors: [FieldError] = []
        if let prefix = metadata["generateName"]?.string, !prefix.isEmpty {
            let sample = prefix.hasSuffix("-") ? String(prefix.dropLast()) + "a" : prefix
            errors += rule(sample).map { .invalid(path.child("generateName"), .string(prefix), $0) }
        }
        let name = metadata["name"]?.string ?? ""
        if name.isEmpty {
            errors.append(.required(path.child("name"), "name or generateName is required"))
        } else {
            errors += rule(name).map { .invalid(path.child("name"), .string(name), $0) }
        }
        errors += labels(metadata["labels"], at: path.child("labels"))
        errors += annotations(metadata["annotations"], at: path.child("annotations"))
        errors += owners(metadata["ownerReferences"]?.array ?? [], at: path.child("ownerReferences"))
        errors += finalizers(metadata["finalizers"]?.array ?? [], at: path.child("finalizers"))
        return errors
    }

    /// What is wrong with labels, or with a map that selects by labels.
    package static func labels(_ labels: JSONValue?, at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for (key, value) in labels?.object ?? [:] {
            errors += NameRules.qualifiedName(key).map { .invalid(path, .string(key), $0) }
            errors += NameRules.labelValue(value.string ?? "").map { .invalid(path, value, $0) }
        }
        return errors
    }

    private static func annotations(_ annotations: JSONValue?, at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var size = 0
        for (key, value) in annotations?.object ?? [:] {
            errors += NameRules.qualifiedName(key.lowercased()).map { .invalid(path, .string(key), $0) }
            size += key.utf8.count + (value.string ?? "").utf8.count
        }
        if size > annotationsLimit {
            errors.append(.tooLong(path, limit: annotationsLimit))
        }
        return errors
    }

    private static func owners(_ owners: [JSONValue], at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var controller: String?
        for (index, owner) in owners.enumerated() {
            for field in ["apiVersion", "kind", "name", "uid"] where owner[field]?.string ?? "" == "" {
                let text = field == "apiVersion" ? "version must not be empty" : "must not be empty"
                errors.append(.invalid(path[index].child(field), owner[field] ?? "", text))
            }
            guard owner["controller"]?.bool == true else { continue }
            let name = owner["name"]?.string ?? ""
            if let controller {
                errors.append(
                    .invalid(
                        path, .array(owners),
                        "Only one reference can have Controller set to true. Found \"true\" in references for "
                            + "\(controller) and \(name)"))
            }
            controller = name
        }
        return errors
    }

    private static func finalizers(_ finalizers: [JSONValue], at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, finalizer) in finalizers.enumerated() {
            let text = finalizer.string ?? ""
            errors += NameRules.qualifiedName(text).map { .invalid(path[index], finalizer, $0) }
            if !text.contains("/"), !standardFinalizers.contains(text), !text.isEmpty {
                errors.append(
                    .invalid(
                        path[index], finalizer,
                        "name is neither a standard finalizer name nor is it fully qualified"))
            }
        }
        return errors
    }
}
