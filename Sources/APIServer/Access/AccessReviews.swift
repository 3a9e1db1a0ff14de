import HTTPTypes
import HummingbirdCore
import JSON
import KubernetesAPI

/// Answers what users may do (`authorization.k8s.io`).
enum AccessReviews {
    static let group = "authorization.k8s.io"

    /// What the asking user may do.
    static let own = Review { object, context throws(StatusError) in
        let request = try request(object, kind: "SelfSubjectAccessReview")
        return answer(object, context.access.decide(request, by: context.user))
    }

    /// What another user may do.
    static let other = Review { object, context throws(StatusError) in
        try answer(object, context, kind: "SubjectAccessReview")
    }

    /// What another user may do in a namespace.
    static let local = Review { object, context throws(StatusError) in
        let kind = "LocalSubjectAccessReview"
        let path: FieldPath = "spec.resourceAttributes.namespace"
        let namespace = object.at("spec", "resourceAttributes", "namespace")?.string ?? ""
        guard object.at("spec", "nonResourceAttributes") == nil else {
            throw invalid(
                kind,
                .invalid(
                    "spec.nonResourceAttributes", object.at("spec", "nonResourceAttributes"),
                    "disallowed on this kind of request"))
        }
        guard namespace == context.namespace else {
            throw invalid(kind, .invalid(path, .string(namespace), "must match metadata.namespace"))
        }
        return try answer(object, context, kind: kind)
    }

    /// All that the asking user may do in a namespace.
    static let rules = Review { object, context throws(StatusError) in
        guard let namespace = object.at("spec", "namespace")?.string, !namespace.isEmpty else {
            throw .badRequest("no namespace on request")
        }
        let rules = context.access.rules(of: context.user, namespace: namespace)
        var status: JSONValue = [
            "resourceRules": .array(rules.filter { !$0.resources.isEmpty }.map(\.json)),
            "nonResourceRules": .array(rules.filter { !$0.nonResourceURLs.isEmpty }.map(\.json)), "incomplete": false,
        ]
        if context.user.nodeName != nil {
            status["incomplete"] = true
            status["evaluationError"] = "node authorizer does not support user rule resolution"
        }
        var answer = object
        answer["status"] = status
        return answer
    }

    private static func answer(
        _ object: JSONValue, _ context: ReviewContext, kind: String
    ) throws(StatusError) -> JSONValue {
        let request = try request(object, kind: kind)
        let spec = object["spec"] ?? [:]
        let name = spec["user"]?.string ?? ""
        let groups = spec["groups"]?.array?.compactMap(\.string) ?? []
        guard !name.isEmpty || !groups.isEmpty else {
            throw invalid(kind, .invalid("spec.user", .string(name), "at least one of user or group must be specified"))
        }
        let extra: [String: [String]] = (spec["extra"]?.object ?? [:]).reduce(into: [:]) { extra, entry in
            extra[entry.key] = entry.value.array?.compactMap(\.string) ?? []
        }
        let user = User(name: name, uid: spec["uid"]?.string ?? "", groups: groups, extra: extra)
        return answer(object, context.access.decide(request, by: user))
    }

    private static func answer(_ object: JSONValue, _ decision: AccessDecision) -> JSONValue {
        var answer = object
        switch decision {
        case .allowed: answer["status"] = ["allowed": true]
        case .noOpinion(let reason):
            answer["status"] = ["allowed": false]
            if !reason.isEmpty { answer.set(.string(reason), at: "status", "reason") }
        }
        return answer
    }

    /// The request that a review is about.
    private static func request(_ object: JSONValue, kind: String) throws(StatusError) -> AccessRequest {
        let resource = object.at("spec", "resourceAttributes").flatMap { $0.isNull ? nil : $0 }
        let other = object.at("spec", "nonResourceAttributes").flatMap { $0.isNull ? nil : $0 }
        func text(_ value: JSONValue, _ key: String) -> String { value[key]?.string ?? "" }
        switch (resource, other) {
        case (let value?, nil):
            var request = AccessRequest(
                text(value, "verb"), group: text(value, "group"), resource: text(value, "resource"),
                subresource: text(value, "subresource"), namespace: text(value, "namespace"), name: text(value, "name"))
            for requirement in value.at("fieldSelector", "requirements")?.array ?? []
            where requirement["operator"] == "In" && requirement["values"]?.array?.count == 1 {
                request.selectedFields[text(requirement, "key")] = requirement["values"]?[0]?.string
            }
            return request
        case (nil, let value?): return AccessRequest(text(value, "verb"), path: text(value, "path"))
        case (nil, nil):
            throw invalid(
                kind,
                .invalid(
                    "spec.resourceAttributes", .null,
                    "exactly one of nonResourceAttributes or resourceAttributes must be specified"))
        default:
            throw invalid(
                kind,
                .invalid(
                    "spec.nonResourceAttributes", other, "cannot be specified in combination with resourceAttributes"))
        }
    }

    private static func invalid(_ kind: String, _ error: FieldError) -> StatusError {
        .invalid(kind: kind, group: group, name: "", causes: [error])
    }
}

/// Answers who somebody is (`authentication.k8s.io`).
enum IdentityReviews {
    static let group = "authentication.k8s.io"

    /// Who asks.
    static let own = Review { object, context throws(StatusError) in
        var answer = object
        answer["status"] = ["userInfo": context.user.json]
        return answer
    }

    /// Whose token it is.
    static let token = Review { object, context throws(StatusError) in
        guard let token = object.at("spec", "token")?.string, !token.isEmpty else {
            throw .badRequest("token is required for TokenReview in authentication")
        }
        let wanted = object.at("spec", "audiences")?.array?.compactMap(\.string) ?? []
        let audiences = wanted.isEmpty ? [ServiceAccountTokens.issuer] : wanted
        var answer = object
        if let (user, shared) = context.authenticate(token, audiences) {
            answer["status"] = [
                "authenticated": true, "user": user.json, "audiences": .array(shared.map { .string($0) }),
            ]
        } else {
            answer["status"] = ["user": [:], "error": "invalid bearer token"]
        }
        return answer
    }
}

extension ResourceRegistry {
    /// The resources that are asked and not stored.
    static let reviews: [ResourceDefinition] = [
        review(IdentityReviews.group, "TokenReview", IdentityReviews.token),
        review(IdentityReviews.group, "SelfSubjectReview", IdentityReviews.own),
        review(AccessReviews.group, "LocalSubjectAccessReview", isNamespaced: true, AccessReviews.local),
        review(AccessReviews.group, "SelfSubjectAccessReview", AccessReviews.own),
        review(AccessReviews.group, "SelfSubjectRulesReview", AccessReviews.rules),
        review(AccessReviews.group, "SubjectAccessReview", AccessReviews.other),
    ]

    private static func review(
        _ group: String, _ kind: String, isNamespaced: Bool = false, _ answer: Review
    ) -> ResourceDefinition {
        let resource = Resource(
            group: group, version: "v1", plural: kind.lowercased() + "s", kind: kind, isNamespaced: isNamespaced)
        return ResourceDefinition(resource, columns: [.name, .age], strategy: PlainStrategy()) {
            $0.verbs = [.create]
            $0.review = answer
        }
    }
}

extension APIHandler {
    /// Answers POST to a collection of reviews.
    func ask(_ review: Review, _ call: Call) async throws -> Response {
        let options = try call.writeOptions()
        let object = try await body(call, call.resource, options)
        let context = ReviewContext(
            user: call.context.user, namespace: call.path.namespace ?? "", access: access,
            authenticate: authenticator.user(of:audiences:))
        var answer = try review.answer(object, context)
        answer["kind"] = .string(call.resource.kind)
        answer["apiVersion"] = .string(call.resource.apiVersion)
        answer.set(object.at("metadata", "creationTimestamp") ?? .null, at: "metadata", "creationTimestamp")
        return .value(call.definition.inOrder(answer), call.format, status: .created).warning(options.warnings)
    }
}
