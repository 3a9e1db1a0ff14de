extension PolicyRule {
    /// The parts of `wanted` that `held` does not grant, put together again by resource; empty when all is granted.
    ///
    /// Takes time in proportion to the product of the rules' parts.
    public static func missing(from held: [PolicyRule], toGrant wanted: [PolicyRule]) -> [PolicyRule] {
        let missing = wanted.flatMap(\.parts).filter { part in !held.contains { $0.covers(part) } }
        return compact(missing)
    }

    /// The rule as rules of one verb, one resource or URL, and at most one name each.
    private var parts: [PolicyRule] {
        var parts: [PolicyRule] = []
        for group in apiGroups {
            for resource in resources {
                for verb in verbs {
                    if resourceNames.isEmpty {
                        parts.append(PolicyRule([verb], groups: [group], resources: [resource]))
                    }
                    for name in resourceNames {
                        parts.append(PolicyRule([verb], groups: [group], resources: [resource], names: [name]))
                    }
                }
            }
        }
        for url in nonResourceURLs {
            parts += verbs.map { PolicyRule([$0], urls: [url]) }
        }
        return parts
    }

    /// True when everything that the part allows, this rule allows.
    private func covers(_ part: PolicyRule) -> Bool {
        guard Self.holds(verbs, part.verbs), Self.holds(apiGroups, part.apiGroups) else { return false }
        guard part.resources.allSatisfy(coversResource) else { return false }
        guard part.nonResourceURLs.allSatisfy(coversURL) else { return false }
        if part.resourceNames.isEmpty { return resourceNames.isEmpty }
        return resourceNames.isEmpty || part.resourceNames.allSatisfy(resourceNames.contains)
    }

    private func coversResource(_ resource: String) -> Bool {
        if resources.contains("*") || resources.contains(resource) { return true }
        guard let slash = resource.firstIndex(of: "/") else { return false }
        return resources.contains("*" + resource[slash...])
    }

    private func coversURL(_ url: String) -> Bool {
        let stem = url.last == "*" ? url.dropLast() : url[...]
        return nonResourceURLs.contains { $0 == url || ($0.last == "*" && stem.hasPrefix($0.dropLast())) }
    }

    private static func holds(_ held: [String], _ wanted: [String]) -> Bool {
        held.contains("*") || wanted.allSatisfy(held.contains)
    }

    /// Unites the verbs of parts on the same object.
    private static func compact(_ parts: [PolicyRule]) -> [PolicyRule] {
        var rules: [PolicyRule] = []
        var positions: [PolicyRule: Int] = [:]
        for part in parts {
            var target = part
            target.verbs = []
            if let position = positions[target] {
                rules[position].verbs += part.verbs.filter { !rules[position].verbs.contains($0) }
            } else {
                positions[target] = rules.count
                rules.append(part)
            }
        }
        return rules
    }
}
