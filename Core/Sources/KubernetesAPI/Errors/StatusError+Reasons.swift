/// The errors that Kubernetes' API servers give, with their texts (`k8s.io/apimachinery/pkg/api/errors`).
extension StatusError {
    /// 422: fields of an object are wrong.
    public static func invalid(kind: String, group: String, name: String, causes: [FieldError]) -> StatusError {
        var texts: [String] = []
        for text in causes.map(\.description) where !texts.contains(text) { texts.append(text) }
        let qualified = group.isEmpty ? kind : "\(kind).\(group)"
        var message = "\(qualified) \"\(name)\" is invalid"
        if let first = texts.first {
            message += texts.count == 1 ? ": \(first)" : ": [\(texts.joined(separator: ", "))]"
        }
        return StatusError(
            code: 422, reason: "Invalid", message: message,
            details: Details(
                name: name, group: group, kind: kind,
                causes: causes.map {
                    Cause(reason: $0.kind.reason, message: $0.message, field: $0.field.description)
                }))
    }

    /// 422: an update does not say which version it replaces.
    public static func versionRequired(_ resource: Resource, _ name: String) -> StatusError {
        let field = "metadata.resourceVersion"
        // Kubernetes shows the version that is missing as an unsigned number, and the plural as the kind.
        let cause = "Invalid value: 0x0: must be specified for an update"
        var error = about(
            resource, name, 422, "Invalid", "\(resource.qualifiedName) \"\(name)\" is invalid: \(field): \(cause)")
        error.details?.causes = [Cause(reason: FieldError.Kind.invalid.reason, message: cause, field: field)]
        return error
    }

    /// 404: there is no such object.
    public static func notFound(_ resource: Resource, _ name: String) -> StatusError {
        about(resource, name, 404, "NotFound", "\(resource.qualifiedName) \"\(name)\" not found")
    }

    /// 404: the server has no such path.
    public static func unknownPath() -> StatusError {
        StatusError(
            code: 404, reason: "NotFound", message: "the server could not find the requested resource",
            details: Details())
    }

    /// 409: an object of that name exists.
    public static func alreadyExists(_ resource: Resource, _ name: String) -> StatusError {
        about(resource, name, 409, "AlreadyExists", "\(resource.qualifiedName) \"\(name)\" already exists")
    }

    /// 409: the object is not in the state that the request supposes.
    public static func conflict(_ resource: Resource, _ name: String, _ cause: String) -> StatusError {
        about(
            resource, name, 409, "Conflict",
            "Operation cannot be fulfilled on \(resource.qualifiedName) \"\(name)\": \(cause)")
    }

    /// 409: the object has another resource version than the request supposes.
    public static func modified(_ resource: Resource, _ name: String) -> StatusError {
        conflict(
            resource, name,
            "the object has been modified; please apply your changes to the latest version and try again")
    }

    /// 400: the request makes no sense.
    public static func badRequest(_ message: String) -> StatusError {
        StatusError(code: 400, reason: "BadRequest", message: message)
    }

    /// 401: the client is not known.
    public static func unauthorized() -> StatusError {
        StatusError(code: 401, reason: "Unauthorized", message: "Unauthorized")
    }

    /// 403: the request is refused whoever sends it, or this user may not send it.
    public static func forbidden(
        _ resource: Resource, _ name: String, _ cause: String, causes: [Cause] = []
    ) -> StatusError {
        let object = name.isEmpty ? resource.qualifiedName : "\(resource.qualifiedName) \"\(name)\""
        var error = about(resource, name, 403, "Forbidden", "\(object) is forbidden: \(cause)")
        error.details?.causes = causes
        return error
    }

    /// 405: the resource has no such verb.
    public static func methodNotAllowed(_ resource: Resource, _ verb: String) -> StatusError {
        about(
            resource, "", 405, "MethodNotAllowed",
            "\(verb) is not supported on resources of kind \"\(resource.qualifiedName)\"")
    }

    /// 406: none of the media types that the client accepts can be served.
    public static func notAcceptable(supported: [String]) -> StatusError {
        StatusError(
            code: 406, reason: "NotAcceptable",
            message: "only the following media types are accepted: \(supported.joined(separator: ", "))")
    }

    /// 415: the body is in no known format.
    public static func unsupportedMediaType(accepted: [String]) -> StatusError {
        StatusError(
            code: 415, reason: "UnsupportedMediaType",
            message: "the body of the request was in an unknown format - accepted media types include: "
                + accepted.joined(separator: ", "))
    }

    /// 413: the body is larger than `limit` bytes.
    public static func requestEntityTooLarge(limit: Int) -> StatusError {
        StatusError(
            code: 413, reason: "RequestEntityTooLarge", message: "Request entity too large: limit is \(limit)")
    }

    /// 410: a resource version or continue token is too old.
    public static func expired(_ message: String) -> StatusError {
        StatusError(code: 410, reason: "Expired", message: message)
    }

    /// 410: what was asked for existed and is gone.
    public static func gone(_ message: String) -> StatusError {
        StatusError(code: 410, reason: "Gone", message: message)
    }

    /// 429: the client must wait.
    public static func tooManyRequests(_ message: String, retryAfterSeconds: Int) -> StatusError {
        StatusError(
            code: 429, reason: "TooManyRequests", message: message,
            details: Details(retryAfterSeconds: retryAfterSeconds))
    }

    /// 500: the server failed.
    public static func internalError(_ cause: String) -> StatusError {
        StatusError(
            code: 500, reason: "InternalError", message: "Internal error occurred: \(cause)",
            details: Details(causes: [Cause(reason: "", message: cause)]))
    }

    /// 500: the server could not finish now; the client may try again.
    public static func serverTimeout(_ resource: Resource, verb: String, retryAfterSeconds: Int) -> StatusError {
        var error = about(
            resource, verb, 500, "ServerTimeout",
            "The \(verb) operation against \(resource.qualifiedName) could not be completed at this time, please try again."
        )
        error.details?.retryAfterSeconds = retryAfterSeconds
        return error
    }

    /// 503: the server, or what it needs, cannot answer.
    public static func serviceUnavailable(_ message: String) -> StatusError {
        StatusError(code: 503, reason: "ServiceUnavailable", message: message)
    }

    /// 504: the answer took too long.
    public static func timeout(_ message: String, retryAfterSeconds: Int? = nil, causes: [Cause] = []) -> StatusError {
        StatusError(
            code: 504, reason: "Timeout", message: "Timeout: \(message)",
            details: Details(causes: causes, retryAfterSeconds: retryAfterSeconds))
    }

    private static func about(
        _ resource: Resource, _ name: String, _ code: Int, _ reason: String, _ message: String
    ) -> StatusError {
        StatusError(
            code: code, reason: reason, message: message,
            details: Details(name: name, group: resource.group, kind: resource.plural))
    }
}

extension Resource {
    /// The plural and, unless it is the core group, the group: `pods`, `deployments.apps`.
    public var qualifiedName: String { group.isEmpty ? plural : "\(plural).\(group)" }
}
