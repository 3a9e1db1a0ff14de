package import JSON
package import KubernetesAPI

/// A resource without rules of its own: objects are stored as they come, `status` and the rest kept apart.
package struct PlainStrategy: ResourceStrategy {
    /// Makes the strategy.
    package init() {}

    package func admitCreate(
        _ object: inout JSONValue, _ context: AdmissionContext
    ) throws(StatusError) -> Reservation { .none }

    package func admitUpdate(
        _ object: inout JSONValue, replacing old: JSONValue, _ context: AdmissionContext
    ) throws(StatusError) -> Reservation {
        switch context.subresource {
        case "status":
            var kept = old
            kept["status"] = object["status"]
            kept["metadata"] = object["metadata"]
            object = kept
        case nil: object["status"] = old["status"]
        default: break
        }
        return .none
    }
}
