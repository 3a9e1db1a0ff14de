package import JSON
package import KubernetesAPI

/// The syntax of ports in API objects.
package enum PortRules {
    /// What is wrong with a transport protocol.
    package static func transport(_ text: String, at path: FieldPath) -> [FieldError] {
        let known = ["SCTP", "TCP", "UDP"]
        if text.isEmpty { return [.required(path)] }
        return known.contains(text) ? [] : [.notSupported(path, .string(text), known)]
    }

    /// What is wrong with a port that is given by its number or its name.
    package static func numberOrName(_ value: JSONValue?, at path: FieldPath) -> [FieldError] {
        if let name = value?.string {
            return NameRules.portName(name).map { .invalid(path, .string(name), $0) }
        }
        let number = value?.int ?? 0
        return NameRules.portNumber(number).map { .invalid(path, .integer(Int64(number)), $0) }
    }
}
