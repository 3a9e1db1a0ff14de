public import JSON

/// A role of the whole cluster.
public struct ClusterRole: KubernetesObject, Hashable {
    /// The resource that serves these objects.
    public static var resource: Resource { .clusterRoles }

    /// Name, labels, owners and versions.
    public var metadata: ObjectMeta
    /// What the role allows.
    public var rules: [JSONValue]?
    /// From which roles the rules are collected; nil for a role with rules of its own.
    public var aggregationRule: AggregationRule?

    /// Creates a value; fields left nil are absent on the wire.
    public init(
        metadata: ObjectMeta = ObjectMeta(), rules: [JSONValue]? = nil, aggregationRule: AggregationRule? = nil
    ) {
        self.metadata = metadata
        self.rules = rules
        self.aggregationRule = aggregationRule
    }

    /// True when this role collects the rules of the other.
    public func collects(_ other: ClusterRole) -> Bool {
        guard let selectors = aggregationRule?.clusterRoleSelectors, other.name != name else { return false }
        return selectors.contains { $0.matches(other.metadata.labels ?? [:]) }
    }

    /// The rules of the roles that this one collects, in the order of their names and without repetitions.
    public func collectedRules(from roles: [ClusterRole]) -> [JSONValue] {
        var rules: [JSONValue] = []
        for role in roles.filter(collects).sorted(by: { $0.name < $1.name }) {
            for rule in role.rules ?? [] where !rules.contains(rule) { rules.append(rule) }
        }
        return rules
    }
}

/// Which roles a role collects.
public struct AggregationRule: Codable, Sendable, Hashable {
    /// Selectors of ClusterRoles; one that matches suffices.
    public var clusterRoleSelectors: [LabelSelector]?

    /// Creates a value; fields left nil are absent on the wire.
    public init(clusterRoleSelectors: [LabelSelector]? = nil) {
        self.clusterRoleSelectors = clusterRoleSelectors
    }
}
