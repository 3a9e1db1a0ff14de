public import JSON

/// What a plugin prints instead of a result when it fails (CNI specification, "Error").
public struct CNIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The number that tells a runtime what kind of failure it was.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The number on the wire.
        public let rawValue: Int64

        /// Wraps a number from the wire.
        public init(rawValue: Int64) { self.rawValue = rawValue }

        /// The configuration's `cniVersion` is not spoken, or lacks the command.
        public static let incompatibleVersion = Code(rawValue: 1)
        /// A key of the configuration is not supported; the message names key and value.
        public static let unsupportedField = Code(rawValue: 2)
        /// The container is unknown; no clean-up is needed.
        public static let unknownContainer = Code(rawValue: 3)
        /// Environment variables are missing or wrong.
        public static let invalidEnvironment = Code(rawValue: 4)
        /// Reading or writing failed.
        public static let inputOutput = Code(rawValue: 5)
        /// The configuration is not JSON of the right shape.
        public static let decodingFailure = Code(rawValue: 6)
        /// The configuration is wrong.
        public static let invalidConfiguration = Code(rawValue: 7)
        /// The network namespace is wrong.
        public static let invalidNetworkNamespace = Code(rawValue: 8)
        /// A passing condition; the runtime should try again.
        public static let tryAgainLater = Code(rawValue: 11)
        /// STATUS: ADD cannot be served.
        public static let unavailable = Code(rawValue: 50)
        /// Any other failure.
        public static let general = Code(rawValue: 999)
    }

    /// The kind of failure.
    public var code: Code
    /// One line for people.
    public var message: String
    /// Whatever helps beyond the message; may be empty.
    public var details: String

    /// Makes an error of the given kind.
    public init(_ code: Code, _ message: String, details: String = "") {
        self.code = code
        self.message = message
        self.details = details
    }

    /// Makes an error of no particular kind (code 999).
    public init(_ message: String) { self.init(.general, message) }

    /// Wraps any error; one that is a `CNIError` stays as it is.
    public init(_ error: any Error) {
        self = error as? CNIError ?? CNIError("\(error)")
    }

    /// Reads the error that a delegated plugin printed; nil when the value is none.
    public init?(json: JSONValue) {
        guard let code = json["code"]?.int, let message = json["msg"]?.string else { return nil }
        self.init(Code(rawValue: Int64(code)), message, details: json["details"]?.string ?? "")
    }

    /// The same error with words of context before its message.
    public func prefixed(_ context: String) -> CNIError {
        CNIError(code, "\(context): \(message)", details: details)
    }

    /// The object to print; `details` is left out when empty.
    public func json(version: String) -> JSONValue {
        var value: JSONValue = .object([
            "cniVersion": .string(version), "code": .integer(code.rawValue), "msg": .string(message),
        ])
        if !details.isEmpty { value["details"] = .string(details) }
        return value
    }

    /// The message, and the details when there are any.
    public var description: String { details.isEmpty ? message : "\(message): \(details)" }
}
