public import JSON

/// A refusal by an API server: what the wire calls a `Status` of `Failure`.
public struct StatusError: Error, Sendable, Hashable {
    /// The HTTP status code.
    public var code: Int
    /// The machine-readable reason, such as `NotFound`.
    public var reason: String
    /// The text that users read.
    public var message: String
    /// What the error is about; nil when it is about nothing in particular.
    public var details: Details?
    /// A token with which a list that has expired can be gone on with; nil for every other error.
    public var continueToken: String?

    /// Makes an error; prefer the factories for the reasons that Kubernetes knows.
    public init(code: Int, reason: String, message: String, details: Details? = nil) {
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
    }

    /// The object an error is about, and its single causes.
    public struct Details: Sendable, Hashable {
        /// The object's name.
        public var name: String?
        /// The object's API group.
        public var group: String?
        /// The object's kind, or its resource's plural name.
        public var kind: String?
        /// The object's uid.
        public var uid: String?
        /// The single things that are wrong.
        public var causes: [Cause]
        /// After how many seconds the client should try again.
        public var retryAfterSeconds: Int?

        /// Collects what is known.
        public init(
            name: String? = nil, group: String? = nil, kind: String? = nil, uid: String? = nil, causes: [Cause] = [],
            retryAfterSeconds: Int? = nil
        ) {
            self.name = name
            self.group = group
            self.kind = kind
            self.uid = uid
            self.causes = causes
            self.retryAfterSeconds = retryAfterSeconds
        }
    }

    /// One thing that is wrong.
    public struct Cause: Sendable, Hashable {
        /// The machine-readable reason, such as `FieldValueInvalid`.
        public var reason: String
        /// The text that users read, without the field.
        public var message: String
        /// The path of the field.
        public var field: String?

        /// Describes a cause.
        public init(reason: String, message: String, field: String? = nil) {
            self.reason = reason
            self.message = message
            self.field = field
        }
    }
}

extension StatusError: CustomStringConvertible {
    /// The message.
    public var description: String { message }
}

extension StatusError {
    /// The `Status` object that answers a request.
    public var status: JSONValue {
        var value: JSONValue = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": .string(message),
        ]
        if let continueToken { value["metadata"] = ["continue": .string(continueToken)] }
        if !reason.isEmpty { value["reason"] = .string(reason) }
        if let details { value["details"] = details.json }
        value["code"] = .integer(Int64(code))
        return value
    }

    /// Reads a `Status` object of `Failure`; nil for anything else.
    ///
    /// - Parameter httpStatus: Stands for the code where the object gives none.
    public init?(status value: JSONValue, httpStatus: Int = 500) {
        guard value["kind"]?.string == "Status", value["status"]?.string != "Success" else { return nil }
        self.init(
            code: value["code"]?.int ?? httpStatus, reason: value["reason"]?.string ?? "",
            message: value["message"]?.string ?? "", details: value["details"].map(Details.init(json:)))
        continueToken = value.at("metadata", "continue")?.string
    }
}

extension StatusError.Details {
    var json: JSONValue {
        var value: JSONValue = [:]
        value["name"] = name.flatMap { $0.isEmpty ? nil : .string($0) }
        value["group"] = group.flatMap { $0.isEmpty ? nil : .string($0) }
        value["kind"] = kind.map { .string($0) }
        value["uid"] = uid.map { .string($0) }
        if !causes.isEmpty {
            value["causes"] = .array(
                causes.map { cause in
                    var item: JSONValue = ["reason": .string(cause.reason), "message": .string(cause.message)]
                    item["field"] = cause.field.map { .string($0) }
                    return item
                })
        }
        value["retryAfterSeconds"] = retryAfterSeconds.map { .integer(Int64($0)) }
        return value
    }

    init(json: JSONValue) {
        self.init(
            name: json["name"]?.string, group: json["group"]?.string, kind: json["kind"]?.string,
            uid: json["uid"]?.string,
            causes: (json["causes"]?.array ?? []).map {
                StatusError.Cause(
                    reason: $0["reason"]?.string ?? "", message: $0["message"]?.string ?? "",
                    field: $0["field"]?.string)
            },
            retryAfterSeconds: json["retryAfterSeconds"]?.int)
    }
}
