public import JSON

/// A rule of a role: what it allows (`rbac.authorization.k8s.io/v1`).
public struct PolicyRule: Sendable, Hashable {
    /// Verbs, or `*`.
    public var verbs: [String]
    /// API groups, or `*`.
    public var apiGroups: [String]
    /// Resources and `resource/subresource`, `*`, `*/subresource`.
    public var resources: [String]
    /// Names of objects; none means all.
    public var resourceNames: [String]
    /// Paths outside the resources; a final `*` stands for anything.
    public var nonResourceURLs: [String]

    /// A rule on resources.
    public init(
        _ verbs: [String], groups: [String] = [], resources: [String] = [], names: [String] = [], urls: [String] = []
    ) {
        self.verbs = verbs
        apiGroups = groups
        self.resources = resources
        resourceNames = names
        nonResourceURLs = urls
    }

    /// Reads a rule as roles hold it.
    public init(json: JSONValue) {
        func texts(_ key: String) -> [String] { json[key]?.array?.compactMap(\.string) ?? [] }
        self.init(
            texts("verbs"), groups: texts("apiGroups"), resources: texts("resources"), names: texts("resourceNames"),
            urls: texts("nonResourceURLs"))
    }

    /// The rule as roles hold it.
    public var json: JSONValue {
        var value: JSONValue = [:]
        let members = [
            ("apiGroups", apiGroups), ("resources", resources), ("resourceNames", resourceNames),
            ("nonResourceURLs", nonResourceURLs), ("verbs", verbs),
        ]
        for (key, texts) in members where !texts.isEmpty {
            value[key] = .array(texts.map { .string($0) })
        }
        return value
    }

    /// True when the rule allows the request.
    public func allows(_ request: AccessRequest) -> Bool {
        guard Self.contains(verbs, request.verb) else { return false }
        guard request.isResourceRequest else {
            return nonResourceURLs.contains { Self.url($0, covers: request.path) }
        }
        return Self.contains(apiGroups, request.group) && allowsResource(request)
            && (resourceNames.isEmpty || resourceNames.contains(request.name))
    }

    private func allowsResource(_ request: AccessRequest) -> Bool {
        if request.subresource.isEmpty { return Self.contains(resources, request.resource) }
        // A subresource needs to be named, except that `*` is everything.
        return resources.contains {
            $0 == "*" || Self.isPath($0, request.resource, request.subresource)
                || Self.isPath($0, "*", request.subresource)
        }
    }

    /// True when `text` is `<resource>/<subresource>`, without making that text.
    private static func isPath(_ text: String, _ resource: String, _ subresource: String) -> Bool {
        text.utf8.count == resource.utf8.count + 1 + subresource.utf8.count && text.hasPrefix(resource)
            && text.hasSuffix(subresource) && text.utf8.dropFirst(resource.utf8.count).first == UInt8(ascii: "/")
    }

    private static func contains(_ texts: [String], _ text: String) -> Bool {
        texts.contains { $0 == text || $0 == "*" }
    }

    private static func url(_ pattern: String, covers path: String) -> Bool {
        pattern == path || (pattern.last == "*" && path.hasPrefix(pattern.dropLast()))
    }
}

extension PolicyRule: CustomStringConvertible {
    /// The rule in the short form of error texts.
    public var description: String {
        let members = [
            ("APIGroups", apiGroups), ("Resources", resources), ("NonResourceURLs", nonResourceURLs),
            ("ResourceNames", resourceNames), ("Verbs", verbs),
        ]
        let texts = members.filter { !$0.1.isEmpty }.map { "\($0.0):\(Self.quoted($0.1))" }
        return "{\(texts.joined(separator: ", "))}"
    }

    /// A list of texts as error texts show it: `["a" "b"]`.
    public static func quoted(_ texts: [String]) -> String {
        "[\(texts.map { JSONValue.string($0).text() }.joined(separator: " "))]"
    }
}
