import JSON
import KubernetesAPI

/// What is wrong with probes and life-cycle handlers.
enum ProbeRules {
    private static let handlers = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"]

    static func validate(_ probe: JSONValue, at path: FieldPath, mustSucceedOnce: Bool) -> [FieldError] {
        var errors = handler(probe, at: path)
        for field in [
            "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold",
        ] {
            errors += ValueRules.nonnegative(probe[field], at: path.child(field))
        }
        if mustSucceedOnce, let threshold = probe["successThreshold"], threshold != 1 {
            errors.append(.invalid(path.child("successThreshold"), threshold, "must be 1"))
        }
        return errors
    }

    static func handler(_ handler: JSONValue, at path: FieldPath) -> [FieldError] {
        let given = handlers.filter { handler[$0] != nil }
        if given.isEmpty { return [.required(path, "must specify a handler type")] }
        var errors: [FieldError] = given.dropFirst().map {
            .forbidden(path.child($0), "may not specify more than 1 handler type")
        }
        for kind in given {
            let item = path.child(kind)
            switch kind {
            case "exec" where handler[kind]?.list("command").isEmpty == true:
                errors.append(.required(item.child("command")))
            case "httpGet", "tcpSocket":
                errors += PortRules.numberOrName(handler.at(kind, "port"), at: item.child("port"))
                if kind == "httpGet" {
                    errors += ValueRules.oneOf(
                        handler[kind]?.text("scheme") ?? "", ["HTTP", "HTTPS"], at: item.child("scheme"))
                }
            case "grpc": errors += PortRules.numberOrName(handler.at(kind, "port"), at: item.child("port"))
            default: break
            }
        }
        return errors
    }
}
