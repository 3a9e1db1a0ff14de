package import JSON
package import KubernetesAPI

/// ServiceAccounts.
package struct ServiceAccountStrategy: ObjectStrategy {
    package let resource = Resource.serviceAccounts

    package init() {}
}

/// Events of the core group.
package struct EventStrategy: ObjectStrategy {
    package let resource = Resource.events

    package init() {}

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let namespace = object.at("metadata", "namespace")?.string ?? ""
        let involved = object.at("involvedObject", "namespace")?.string ?? ""
        if object["eventTime"]?.string != nil { return validateNew(object, namespace, involved) }
        // Events about objects without a namespace live in the default one.
        if involved == namespace || (involved.isEmpty && namespace == "default") { return [] }
        return [.invalid("involvedObject.namespace", .string(involved), "does not match event.namespace")]
    }

    /// The rules for events of the newer kind, which tell the time of the event.
    private func validateNew(_ object: JSONValue, _ namespace: String, _ involved: String) -> [FieldError] {
        var errors: [FieldError] = []
        if involved.isEmpty, !["default", "kube-system"].contains(namespace) {
            errors.append(.invalid("involvedObject.namespace", "", "does not match event.namespace"))
        }
        let reporter = object.text("reportingComponent")
        if reporter.isEmpty { errors.append(.required("reportingComponent")) }
        errors += NameRules.qualifiedName(reporter).map {
            .invalid("reportingComponent", .string(reporter), $0)
        }
        for name in ["reportingInstance", "action", "reason"] {
            let text = object.text(name)
            if text.isEmpty { errors.append(.required(FieldPath(name))) }
            if text.utf8.count > Self.wordLimit { errors.append(Self.tooLong(name, Self.wordLimit)) }
        }
        if object.text("message").utf8.count > Self.noteLimit {
            errors.append(Self.tooLong("message", Self.noteLimit))
        }
        return errors
    }

    private static let wordLimit = 128
    private static let noteLimit = 1024

    private static func tooLong(_ name: String, _ limit: Int) -> FieldError {
        .invalid(FieldPath(name), "", "can have at most \(limit) characters")
    }
}

/// Leases.
package struct LeaseStrategy: ObjectStrategy {
    package let resource = Resource.leases

    package init() {}

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        var errors = ValueRules.nonnegative(
            object.at("spec", "leaseTransitions"), at: "spec.leaseTransitions")
        if let duration = object.at("spec", "leaseDurationSeconds"), (duration.int ?? 0) <= 0 {
            errors.append(.invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"))
        }
        return errors
    }
}
