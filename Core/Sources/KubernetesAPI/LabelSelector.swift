/// A selection of objects by their labels, as objects carry it; an empty one selects everything.
public struct LabelSelector: Codable, Sendable, Hashable {
    /// Labels that must have these values.
    public var matchLabels: [String: String]?
    /// Further requirements, all of which must hold.
    public var matchExpressions: [LabelSelectorRequirement]?

    /// Creates a selector.
    public init(matchLabels: [String: String]? = nil, matchExpressions: [LabelSelectorRequirement]? = nil) {
        self.matchLabels = matchLabels
        self.matchExpressions = matchExpressions
    }

    /// True when every part holds for the labels; an expression with an unknown operator holds for none.
    public func matches(_ labels: [String: String]) -> Bool {
        for (key, value) in matchLabels ?? [:] where labels[key] != value {
            return false
        }
        return (matchExpressions ?? []).allSatisfy { $0.matches(labels[$0.key]) }
    }
}

/// One requirement of a selector.
public struct LabelSelectorRequirement: Codable, Sendable, Hashable {
    /// Label, or field for node selectors.
    public var key: String
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`; for node selectors `Gt` and `Lt` too.
    public var `operator`: String
    /// Values for the operators that take some.
    public var values: [String]?

    /// Creates a requirement.
    public init(key: String, operator: String, values: [String]? = nil) {
        self.key = key
        self.operator = `operator`
        self.values = values
    }

    /// True when the requirement holds for the value, nil standing for absence.
    public func matches(_ value: String?) -> Bool {
        switch `operator` {
        case "In": return value.map { values?.contains($0) ?? false } ?? false
        case "NotIn": return value.map { !(values?.contains($0) ?? false) } ?? true
        case "Exists": return value != nil
        case "DoesNotExist": return value == nil
        case "Gt", "Lt":
            guard let value = value.flatMap(Int.init), let bound = values?.first.flatMap(Int.init) else { return false }
            return `operator` == "Gt" ? value > bound : value < bound
        default: return false
        }
    }
}
