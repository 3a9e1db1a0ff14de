package import JSON
package import KubernetesAPI

/// Rules that fields of many resources share.
package enum ValueRules {
    /// What is wrong with a text that must be one of a few.
    package static func oneOf(_ text: String, _ values: [String], at path: FieldPath) -> [FieldError] {
        if text.isEmpty { return [.required(path)] }
        return values.contains(text) ? [] : [.notSupported(path, .string(text), values)]
    }

    /// What is wrong with a number that may not be negative, where there is one.
    package static func nonnegative(_ value: JSONValue?, at path: FieldPath) -> [FieldError] {
        guard let value, let number = value.int, number < 0 else { return [] }
        return [.invalid(path, value, "must be greater than or equal to 0")]
    }

    /// What is wrong with a name of a list's element that must be a DNS label and unlike those before it.
    package static func uniqueLabel(_ name: String, at path: FieldPath, _ seen: inout Set<String>) -> [FieldError] {
        if name.isEmpty { return [.required(path)] }
        let problems = NameRules.dnsLabel(name)
        if !problems.isEmpty { return problems.map { .invalid(path, .string(name), $0) } }
        return seen.insert(name).inserted ? [] : [.duplicate(path, .string(name))]
    }

    /// What is wrong with a field that never changes.
    package static func immutable(_ new: JSONValue?, _ old: JSONValue?, at path: FieldPath) -> [FieldError] {
        new == old ? [] : [.invalid(path, new, "field is immutable")]
    }
}
