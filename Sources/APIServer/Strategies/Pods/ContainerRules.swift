import JSON
import KubernetesAPI

/// What is wrong with a container of a pod.
enum ContainerRules {
    static func validate(_ container: JSONValue, at path: FieldPath, volumes: Set<String>) -> [FieldError] {
        var errors: [FieldError] = []
        let image = container.text("image")
        if image.isEmpty {
            errors.append(.required(path.child("image")))
        } else if image.first?.isWhitespace == true || image.last?.isWhitespace == true {
            errors.append(
                .invalid(path.child("image"), .string(image), "must not have leading or trailing whitespace"))
        }
        errors += ValueRules.oneOf(
            container.text("imagePullPolicy"), ["Always", "IfNotPresent", "Never"], at: path.child("imagePullPolicy"))
        errors += ValueRules.oneOf(
            container.text("terminationMessagePolicy"), ["FallbackToLogsOnError", "File"],
            at: path.child("terminationMessagePolicy"))
        errors += ports(container.list("ports"), at: path.child("ports"))
        errors += environment(container.list("env"), at: path.child("env"))
        errors += mounts(container.list("volumeMounts"), at: path.child("volumeMounts"), volumes)
        errors += resources(container["resources"] ?? [:], at: path.child("resources"))
        for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
            guard let probe = container[name] else { continue }
            errors += ProbeRules.validate(
                probe, at: path.child(name), mustSucceedOnce: name != "readinessProbe")
        }
        for moment in ["preStop", "postStart"] {
            guard let handler = container.at("lifecycle", moment) else { continue }
            errors += ProbeRules.handler(handler, at: path.child("lifecycle").child(moment))
        }
        return errors
    }

    private static func ports(_ ports: [JSONValue], at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let item = path[index]
            let name = port.text("name")
            if !name.isEmpty {
                errors += NameRules.portName(name).map { .invalid(item.child("name"), .string(name), $0) }
                if !names.insert(name).inserted {
                    errors.append(.duplicate(item.child("name"), .string(name)))
                }
            }
            if port["containerPort"]?.int ?? 0 == 0 {
                errors.append(.required(item.child("containerPort")))
            } else {
                errors += PortRules.numberOrName(port["containerPort"], at: item.child("containerPort"))
            }
            if let number = port["hostPort"], number != 0 {
                errors += PortRules.numberOrName(number, at: item.child("hostPort"))
            }
            errors += PortRules.transport(port.text("protocol"), at: item.child("protocol"))
        }
        return errors
    }

    private static func environment(_ variables: [JSONValue], at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, variable) in variables.enumerated() {
            let item = path[index]
            let name = variable.text("name")
            errors +=
                name.isEmpty
                ? [.required(item.child("name"))]
                : NameRules.environmentName(name).map { .invalid(item.child("name"), .string(name), $0) }
            guard let source = variable["valueFrom"] else { continue }
            if !variable.text("value").isEmpty {
                errors.append(
                    .invalid(item.child("valueFrom"), "", "may not be specified when `value` is not empty"))
            }
            if source.object?.isEmpty != false {
                errors.append(
                    .invalid(
                        item.child("valueFrom"), "",
                        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"))
            } else if source.object?.count ?? 0 > 1 {
                errors.append(
                    .invalid(item.child("valueFrom"), "", "may not have more than one field specified at a time"))
            }
            if let reference = source["fieldRef"], !reference.isNull {
                errors += FieldReferenceRules.validate(
                    reference, at: item.child("valueFrom").child("fieldRef"),
                    offered: FieldReferenceRules.environment)
            }
        }
        return errors
    }

    private static func mounts(_ mounts: [JSONValue], at path: FieldPath, _ volumes: Set<String>) -> [FieldError] {
        var errors: [FieldError] = []
        var places: Set<String> = []
        for (index, mount) in mounts.enumerated() {
            let item = path[index]
            if mount.text("name").isEmpty {
                errors.append(.required(item.child("name")))
            } else if !volumes.contains(mount.text("name")) {
                errors.append(.notFound(item.child("name"), .string(mount.text("name"))))
            }
            let place = mount.text("mountPath")
            if place.isEmpty {
                errors.append(.required(item.child("mountPath")))
            } else if !places.insert(place).inserted {
                errors.append(.invalid(item.child("mountPath"), .string(place), "must be unique"))
            }
        }
        return errors
    }

    private static func resources(_ resources: JSONValue, at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        for kind in ["limits", "requests"] {
            for (name, amount) in resources[kind]?.object ?? [:] {
                let item = path.child(kind)[key: name]
                errors += NameRules.qualifiedName(name).map { .invalid(item, .string(name), $0) }
                guard let quantity = amount.string.flatMap(Quantity.init) else { continue }
                if quantity.milliValue < 0 {
                    errors.append(.invalid(item, amount, "must be greater than or equal to 0"))
                }
                if kind == "requests", let limit = resources.at("limits", name)?.string.flatMap(Quantity.init),
                    quantity.milliValue > limit.milliValue
                {
                    errors.append(
                        .invalid(
                            path.child("requests"), amount, "must be less than or equal to \(name) limit of \(limit)"))
                }
            }
        }
        return errors
    }
}
