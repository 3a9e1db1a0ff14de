import Addresses
import JSON
import KubernetesAPI

/// What is wrong with the specification of pods, in Pods and in templates.
enum PodRules {
    private static let changeText =
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
        + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

    static func validate(_ spec: JSONValue, at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        let volumes = VolumeRules.validate(spec.list("volumes"), at: path.child("volumes"), &errors)
        if spec.list("containers").isEmpty {
            errors.append(.required(path.child("containers")))
        }
        var names: Set<String> = []
        for list in ["initContainers", "containers"] {
            for (index, container) in spec.list(list).enumerated() {
                let item = path.child(list)[index]
                errors += ValueRules.uniqueLabel(container.text("name"), at: item.child("name"), &names)
                errors += ContainerRules.validate(container, at: item, volumes: volumes)
            }
        }
        errors += ValueRules.oneOf(
            spec.text("restartPolicy"), ["Always", "Never", "OnFailure"], at: path.child("restartPolicy"))
        errors += ValueRules.oneOf(
            spec.text("dnsPolicy"), ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
            at: path.child("dnsPolicy"))
        errors += MetadataRules.labels(spec["nodeSelector"], at: path.child("nodeSelector"))
        for field in ["hostname", "subdomain"] where !spec.text(field).isEmpty {
            errors += NameRules.dnsLabel(spec.text(field)).map {
                .invalid(path.child(field), .string(spec.text(field)), $0)
            }
        }
        for field in ["serviceAccountName", "nodeName", "priorityClassName"] where !spec.text(field).isEmpty {
            errors += NameRules.dnsSubdomain(spec.text(field)).map {
                .invalid(path.child(field), .string(spec.text(field)), $0)
            }
        }
        if let deadline = spec["activeDeadlineSeconds"], (deadline.int ?? 0) < 1 {
            errors.append(
                .invalid(
                    path.child("activeDeadlineSeconds"), deadline, "must be between 1 and 2147483647, inclusive"))
        }
        errors += ValueRules.nonnegative(
            spec["terminationGracePeriodSeconds"], at: path.child("terminationGracePeriodSeconds"))
        return errors + HostRules.validate(spec, at: path)
            + tolerations(spec.list("tolerations"), at: path.child("tolerations"))
    }

    private static func tolerations(_ tolerations: [JSONValue], at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, toleration) in tolerations.enumerated() {
            let item = path[index]
            let key = toleration.text("key")
            let operation = toleration.text("operator")
            if !key.isEmpty {
                errors += NameRules.qualifiedName(key).map { .invalid(item.child("key"), .string(key), $0) }
            } else if operation != "Exists" {
                errors.append(
                    .invalid(
                        item.child("operator"), .string(operation),
                        "operator must be Exists when `key` is empty, which means \"match all values and all keys\""))
            }
            if toleration["tolerationSeconds"] != nil, toleration.text("effect") != "NoExecute" {
                errors.append(
                    .invalid(
                        item.child("effect"), .string(toleration.text("effect")),
                        "effect must be 'NoExecute' when `tolerationSeconds` is set"))
            }
            if !["", "Equal", "Exists"].contains(operation) {
                errors.append(.notSupported(item.child("operator"), .string(operation), ["Equal", "Exists"]))
            } else if operation == "Exists", !toleration.text("value").isEmpty {
                errors.append(
                    .invalid(
                        item.child("operator"), toleration["value"], "value must be empty when `operator` is 'Exists'"))
            }
            if !["", "NoSchedule", "PreferNoSchedule", "NoExecute"].contains(toleration.text("effect")) {
                errors.append(
                    .notSupported(
                        item.child("effect"), toleration["effect"] ?? "",
                        ["NoExecute", "NoSchedule", "PreferNoSchedule"]))
            }
        }
        return errors
    }

    /// What is wrong with a change of a running pod's specification.
    static func validateChange(of spec: JSONValue, from old: JSONValue) -> [FieldError] {
        var errors: [FieldError] = []
        var allowed = old
        for list in ["containers", "initContainers"] {
            let containers = spec.list(list)
            if containers.count != old.list(list).count {
                return [.forbidden(FieldPath("spec").child(list), "pod updates may not add or remove containers")]
            }
            var index = 0
            allowed.updateEach(list) { container in
                container["image"] = containers[index]["image"]
                if containers[index].text("image").isEmpty {
                    errors.append(.required(FieldPath("spec").child(list)[index].child("image")))
                }
                index += 1
            }
        }
        if let deadline = spec["activeDeadlineSeconds"]?.int, deadline > 0,
            deadline <= old["activeDeadlineSeconds"]?.int ?? Int.max
        {
            allowed["activeDeadlineSeconds"] = spec["activeDeadlineSeconds"]
        }
        if old["terminationGracePeriodSeconds"]?.int ?? 0 < 0, spec["terminationGracePeriodSeconds"] == 1 {
            allowed["terminationGracePeriodSeconds"] = 1
        }
        let tolerations = spec.list("tolerations")
        if old.list("tolerations").allSatisfy(tolerations.contains) {
            allowed["tolerations"] = spec["tolerations"]
            errors += self.tolerations(tolerations, at: "spec.tolerations")
        }
        if allowed != spec {
            errors.append(.forbidden("spec", changeText))
        }
        return errors
    }

    /// What is wrong with the addresses of a pod or of its host.
    static func validateAddresses(
        _ addresses: [JSONValue], at path: FieldPath, tolerating old: [JSONValue]
    ) -> [FieldError] {
        let texts = addresses.map { $0.text("ip") }
        // The fields' names in these texts are those of Kubernetes' own types.
        let shown = texts.map { JSONValue.object(["IP": .string($0)]) }
        var errors = texts.enumerated().flatMap {
            AddressRules.address($0.element, at: path[$0.offset], tolerating: old.map { $0.text("ip") })
        }
        guard errors.isEmpty else { return errors }
        if !AddressRules.areOfDistinctFamilies(texts.compactMap { IPAddress(sloppy: $0)?.family }) {
            errors.append(
                .invalid(path, .array(shown), "may specify no more than one IP for each IP family"))
        }
        for index in texts.indices where texts[..<index].contains(texts[index]) {
            errors.append(.duplicate(path[index], shown[index]))
        }
        return errors
    }
}
