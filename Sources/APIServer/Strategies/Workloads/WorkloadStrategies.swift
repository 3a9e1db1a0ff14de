package import JSON
package import KubernetesAPI

/// Deployments.
package struct DeploymentStrategy: ObjectStrategy {
    package let resource = Resource.deployments
    package let hasStatus = true

    package init() {}

    package func begin(_ object: inout JSONValue) { object["status"] = [:] }

    package func setDefaults(_ object: inout JSONValue) {
        WorkloadRules.setTemplateDefaults(&object)
        object.update("spec") { spec in
            spec.setDefault("replicas", 1)
            spec.setDefault("revisionHistoryLimit", 10)
            spec.setDefault("progressDeadlineSeconds", 600)
            spec.setDefault("strategy", [:])
            spec.update("strategy") { strategy in
                strategy.setDefault("type", "RollingUpdate")
                guard strategy["type"] == "RollingUpdate" else { return }
                strategy.setDefault("rollingUpdate", [:])
                strategy.update("rollingUpdate") { rolling in
                    rolling.setDefault("maxUnavailable", "25%")
                    rolling.setDefault("maxSurge", "25%")
                }
            }
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        var errors = WorkloadRules.validate(object, replacing: old, kind: "deployment")
        let path: FieldPath = "spec.strategy"
        let strategy = object.at("spec", "strategy") ?? [:]
        errors += ValueRules.oneOf(strategy.text("type"), ["Recreate", "RollingUpdate"], at: path.child("type"))
        if strategy["type"] == "Recreate", strategy["rollingUpdate"] != nil {
            errors.append(
                .forbidden(
                    path.child("rollingUpdate"), "may not be specified when strategy `type` is 'Recreate'"))
        }
        if let rolling = strategy["rollingUpdate"] {
            let item = path.child("rollingUpdate")
            errors += WorkloadRules.share(rolling["maxUnavailable"], at: item.child("maxUnavailable"))
            errors += WorkloadRules.share(rolling["maxSurge"], at: item.child("maxSurge"))
            if WorkloadRules.isZero(rolling["maxUnavailable"]), WorkloadRules.isZero(rolling["maxSurge"]) {
                errors.append(
                    .invalid(
                        item.child("maxUnavailable"), rolling["maxUnavailable"], "may not be 0 when `maxSurge` is 0"))
            }
        }
        let deadline = object.at("spec", "progressDeadlineSeconds")
        if (deadline?.int ?? 0) <= (object.at("spec", "minReadySeconds")?.int ?? 0) {
            errors.append(
                .invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"))
        }
        return errors
    }
}

/// ReplicaSets.
package struct ReplicaSetStrategy: ObjectStrategy {
    package let resource = Resource.replicaSets
    package let hasStatus = true

    package init() {}

    package func begin(_ object: inout JSONValue) { object["status"] = ["replicas": 0] }

    package func setDefaults(_ object: inout JSONValue) {
        WorkloadRules.setTemplateDefaults(&object)
        object.update("spec") { $0.setDefault("replicas", 1) }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        WorkloadRules.validate(object, replacing: old, kind: "replicaset")
    }
}

/// DaemonSets.
package struct DaemonSetStrategy: ObjectStrategy {
    package let resource = Resource.daemonSets
    package let hasStatus = true

    package init() {}

    package func begin(_ object: inout JSONValue) {
        object["status"] = [
            "currentNumberScheduled": 0, "numberMisscheduled": 0, "desiredNumberScheduled": 0, "numberReady": 0,
        ]
    }

    package func setDefaults(_ object: inout JSONValue) {
        WorkloadRules.setTemplateDefaults(&object)
        object.update("spec") { spec in
            spec.setDefault("revisionHistoryLimit", 10)
            spec.setDefault("updateStrategy", [:])
            spec.update("updateStrategy") { strategy in
                strategy.setDefault("type", "RollingUpdate")
                guard strategy["type"] == "RollingUpdate" else { return }
                strategy.setDefault("rollingUpdate", [:])
                strategy.update("rollingUpdate") { rolling in
                    rolling.setDefault("maxUnavailable", 1)
                    rolling.setDefault("maxSurge", 0)
                }
            }
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        var errors = WorkloadRules.validate(object, replacing: old, kind: "daemonset")
        let path: FieldPath = "spec.updateStrategy"
        let strategy = object.at("spec", "updateStrategy") ?? [:]
        errors += ValueRules.oneOf(strategy.text("type"), ["OnDelete", "RollingUpdate"], at: path.child("type"))
        if let rolling = strategy["rollingUpdate"] {
            let item = path.child("rollingUpdate")
            let surge = rolling["maxSurge"]
            errors += WorkloadRules.share(rolling["maxUnavailable"], at: item.child("maxUnavailable"))
            errors += WorkloadRules.share(surge, at: item.child("maxSurge"))
            if WorkloadRules.isZero(rolling["maxUnavailable"]), WorkloadRules.isZero(surge) {
                errors.append(
                    .required(item.child("maxUnavailable"), "cannot be 0 when maxSurge is 0"))
            }
        }
        return errors
    }
}
