package import JSON
package import KubernetesAPI

/// Roles and ClusterRoles: nobody writes one with rights that they do not have.
package struct RoleStrategy: ObjectStrategy {
    package let resource: Resource

    /// The strategy of `roles` or `clusterroles`.
    package init(_ resource: Resource) {
        self.resource = resource
    }

    package func problems(withName name: String) -> [String] { NameRules.pathSegment(name) }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        var errors: [FieldError] = []
        for (index, rule) in object.list("rules").enumerated() {
            errors += validate(PolicyRule(json: rule), rule, at: FieldPath("rules")[index])
        }
        if let aggregation = object["aggregationRule"], !aggregation.isNull,
            aggregation.list("clusterRoleSelectors").isEmpty
        {
            errors.append(
                .required(
                    "aggregationRule.clusterRoleSelectors",
                    "at least one clusterRoleSelector required if aggregationRule is non-nil"))
        }
        return errors
    }

    private func validate(_ rule: PolicyRule, _ json: JSONValue, at path: FieldPath) -> [FieldError] {
        var errors: [FieldError] = []
        if rule.verbs.isEmpty {
            errors.append(.required(path.child("verbs"), "verbs must contain at least one value"))
        }
        guard rule.nonResourceURLs.isEmpty else {
            let urls = path.child("nonResourceURLs")
            if resource.isNamespaced {
                errors.append(
                    .invalid(
                        urls, json["nonResourceURLs"], "namespaced rules cannot apply to non-resource URLs"))
            }
            if !rule.apiGroups.isEmpty || !rule.resources.isEmpty || !rule.resourceNames.isEmpty {
                errors.append(
                    .invalid(
                        urls, json["nonResourceURLs"],
                        "rules cannot apply to both regular resources and non-resource URLs"))
            }
            return errors
        }
        if rule.apiGroups.isEmpty {
            errors.append(.required(path.child("apiGroups"), "resource rules must supply at least one api group"))
        }
        if rule.resources.isEmpty {
            errors.append(.required(path.child("resources"), "resource rules must supply at least one resource"))
        }
        return errors
    }

    package func authorize(
        _ object: JSONValue, replacing old: JSONValue?, _ context: AdmissionContext
    ) throws(StatusError) {
        guard let requester = context.requester, object["rules"] != old?["rules"] || object.isAggregated(unlike: old)
        else { return }
        var request = AccessRequest(
            "escalate", group: resource.group, resource: resource.plural,
            namespace: object.at("metadata", "namespace")?.string ?? "",
            name: object.at("metadata", "name")?.string ?? "")
        if requester.may(request) { return }
        request.verb = old == nil ? "create" : "update"
        // What an aggregated role will hold is not known now, so only who may do everything may make one.
        let wanted =
            object.isAggregated(unlike: old)
            ? PolicyRule.everything : object.list("rules").map(PolicyRule.init(json:))
        try requester.requireRights(wanted, for: request)
    }
}

extension JSONValue {
    /// True for a role that collects the rules of others in another way than `old` does.
    fileprivate func isAggregated(unlike old: JSONValue?) -> Bool {
        guard let rule = self["aggregationRule"], !rule.isNull else { return false }
        return rule != old?["aggregationRule"]
    }
}

/// RoleBindings and ClusterRoleBindings: nobody gives away rights that they do not have.
package struct RoleBindingStrategy: ObjectStrategy {
    private static let group = Resource.roles.group

    package let resource: Resource

    /// The strategy of `rolebindings` or `clusterrolebindings`.
    package init(_ resource: Resource) {
        self.resource = resource
    }

    package func problems(withName name: String) -> [String] { NameRules.pathSegment(name) }

    package func setDefaults(_ object: inout JSONValue) {
        object.update("roleRef") { role in
            if role.text("apiGroup").isEmpty { role["apiGroup"] = .string(Self.group) }
        }
        object.updateEach("subjects") { subject in
            if subject.text("apiGroup").isEmpty, ["User", "Group"].contains(subject.text("kind")) {
                subject["apiGroup"] = .string(Self.group)
            }
        }
    }

    package func validate(_ object: JSONValue, replacing old: JSONValue?, _ subresource: String?) -> [FieldError] {
        let role = object["roleRef"] ?? [:]
        var errors = supported(role.text("apiGroup"), [Self.group], at: "roleRef.apiGroup")
        let kinds = resource.isNamespaced ? ["Role", "ClusterRole"] : ["ClusterRole"]
        errors += supported(role.text("kind"), kinds, at: "roleRef.kind")
        if role.text("name").isEmpty {
            errors.append(.required("roleRef.name"))
        } else {
            errors += NameRules.pathSegment(role.text("name")).map { .invalid("roleRef.name", role["name"], $0) }
        }
        for (index, subject) in object.list("subjects").enumerated() {
            errors += validate(subject, at: FieldPath("subjects")[index])
        }
        if let old, old["roleRef"] != object["roleRef"] {
            errors.append(.invalid("roleRef", object["roleRef"], "cannot change roleRef"))
        }
        return errors
    }

    /// What is wrong with a text that must be one of a few, of which an empty one may be one.
    private func supported(_ text: String, _ values: [String], at path: FieldPath) -> [FieldError] {
        values.contains(text) ? [] : [.notSupported(path, .string(text), values)]
    }

    private func validate(_ subject: JSONValue, at path: FieldPath) -> [FieldError] {
        let name = subject.text("name")
        var errors: [FieldError] = name.isEmpty ? [.required(path.child("name"))] : []
        switch subject.text("kind") {
        case "ServiceAccount":
            if !name.isEmpty {
                errors += NameRules.dnsSubdomain(name).map { .invalid(path.child("name"), .string(name), $0) }
            }
            errors += supported(subject.text("apiGroup"), [""], at: path.child("apiGroup"))
            if subject.text("namespace").isEmpty, !resource.isNamespaced {
                errors.append(.required(path.child("namespace")))
            }
        case "User", "Group":
            errors += supported(subject.text("apiGroup"), [Self.group], at: path.child("apiGroup"))
        default:
            errors += supported(
                subject.text("kind"), ["ServiceAccount", "User", "Group"], at: path.child("kind"))
        }
        return errors
    }

    package func authorize(
        _ object: JSONValue, replacing old: JSONValue?, _ context: AdmissionContext
    ) throws(StatusError) {
        guard let requester = context.requester, object["subjects"] != old?["subjects"] || old == nil else { return }
        let namespace = object.at("metadata", "namespace")?.string ?? ""
        let role = RoleIndex.Binding(object, namespace: namespace).role
        let kind = role.namespace.isEmpty ? Resource.clusterRoles : .roles
        let bind = AccessRequest(
            "bind", group: Self.group, resource: kind.plural, namespace: namespace, name: role.name)
        if requester.may(bind) { return }
        guard let rules = requester.access.rules(of: role) else { throw .notFound(kind, role.name) }
        try requester.requireRights(
            rules,
            for: AccessRequest(
                old == nil ? "create" : "update", group: Self.group, resource: resource.plural, namespace: namespace,
                name: object.at("metadata", "name")?.string ?? ""))
    }
}

extension Requester {
    /// Refuses a request that would give away rights which the user does not have.
    fileprivate func requireRights(_ rules: [PolicyRule], for request: AccessRequest) throws(StatusError) {
        let held = access.rules(of: user, namespace: request.namespace)
        let missing = PolicyRule.missing(from: held, toGrant: rules)
        guard !missing.isEmpty else { return }
        let groups = PolicyRule.quoted(user.groups)
        throw StatusError(
            code: 403, reason: "Forbidden",
            message: "\(request.resource).\(request.group) \"\(request.name)\" is forbidden: user \"\(user.name)\" "
                + "(groups=\(groups)) is attempting to grant RBAC permissions not currently held:\n"
                + missing.map(\.description).sorted().joined(separator: "\n"),
            details: .init(name: request.name, group: request.group, kind: request.resource))
    }
}
