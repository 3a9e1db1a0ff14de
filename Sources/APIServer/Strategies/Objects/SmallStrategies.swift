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
        // Events about objects without a namespace live in the default one.
        if involved == namespace || (involved.isEmpty && namespace == "default") { return [] }
        return [.invalid("involvedObject.namespace", .string(involved), "does not match event.namespace")]
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
