public import JSON

/// One thing wrong with one field of an object.
///
/// Texts follow `k8s.io/apimachinery/pkg/util/validation/field`, since clients show and match them.
public struct FieldError: Error, Sendable, Hashable {
    /// What is wrong.
    public let kind: Kind
    /// The field.
    public let field: FieldPath
    /// The refused value; kinds whose text shows no value have none.
    public let value: JSONValue?
    /// What would be right, or why the value is wrong; may be empty.
    public let detail: String

    /// Describes an error; the factories below give the usual details.
    public init(_ kind: Kind, _ field: FieldPath, value: JSONValue? = nil, detail: String = "") {
        self.kind = kind
        self.field = field
        self.value = value
        self.detail = detail
    }

    /// The kinds of errors.
    public enum Kind: Sendable, Hashable {
        case invalid, required, forbidden, duplicate, notSupported, notFound, tooLong, tooMany, typeInvalid,
            internalError

        /// The `reason` of a cause in `Status.details`.
        public var reason: String {
            switch self {
            case .invalid: "FieldValueInvalid"
            case .required: "FieldValueRequired"
            case .forbidden: "FieldValueForbidden"
            case .duplicate: "FieldValueDuplicate"
            case .notSupported: "FieldValueNotSupported"
            case .notFound: "FieldValueNotFound"
            case .tooLong: "FieldValueTooLong"
            case .tooMany: "FieldValueTooMany"
            case .typeInvalid: "FieldValueTypeInvalid"
            case .internalError: "InternalError"
            }
        }

        /// The words that begin the text of an error.
        public var title: String {
            switch self {
            case .invalid, .typeInvalid: "Invalid value"
            case .required: "Required value"
            case .forbidden: "Forbidden"
            case .duplicate: "Duplicate value"
            case .notSupported: "Unsupported value"
            case .notFound: "Not found"
            case .tooLong: "Too long"
            case .tooMany: "Too many"
            case .internalError: "Internal error"
            }
        }

        /// Whether the text shows the value.
        var showsValue: Bool {
            switch self {
            case .required, .forbidden, .tooLong, .internalError: false
            default: true
            }
        }
    }

    /// The text without the field: `Invalid value: "x": must be y`.
    public var message: String {
        var text = kind.title
        if kind.showsValue { text += ": \((value ?? .null).text())" }
        if !detail.isEmpty { text += ": \(detail)" }
        return text
    }
}

extension FieldError: CustomStringConvertible {
    /// The text with the field: `spec.type: Required value`.
    public var description: String { "\(field): \(message)" }
}

extension FieldError {
    /// The value is malformed or not acceptable here.
    public static func invalid(_ field: FieldPath, _ value: JSONValue?, _ detail: String) -> FieldError {
        FieldError(.invalid, field, value: value ?? .null, detail: detail)
    }

    /// A value is missing.
    public static func required(_ field: FieldPath, _ detail: String = "") -> FieldError {
        FieldError(.required, field, detail: detail)
    }

    /// A value may not be given, or not be changed.
    public static func forbidden(_ field: FieldPath, _ detail: String) -> FieldError {
        FieldError(.forbidden, field, detail: detail)
    }

    /// A value occurs twice where it may occur once.
    public static func duplicate(_ field: FieldPath, _ value: JSONValue) -> FieldError {
        FieldError(.duplicate, field, value: value)
    }

    /// A value is none of those that are supported; they are listed in the order given.
    public static func notSupported(_ field: FieldPath, _ value: JSONValue, _ supported: [String]) -> FieldError {
        let list = supported.map { JSONValue.string($0).text() }.joined(separator: ", ")
        return FieldError(.notSupported, field, value: value, detail: list.isEmpty ? "" : "supported values: \(list)")
    }

    /// A referenced value does not exist.
    public static func notFound(_ field: FieldPath, _ value: JSONValue) -> FieldError {
        FieldError(.notFound, field, value: value)
    }

    /// A text is longer than `limit` bytes.
    public static func tooLong(_ field: FieldPath, limit: Int) -> FieldError {
        FieldError(.tooLong, field, detail: "may not be more than \(limit) bytes")
    }

    /// A list has more than `limit` elements.
    public static func tooMany(_ field: FieldPath, count: Int, limit: Int) -> FieldError {
        FieldError(
            .tooMany, field, value: .integer(Int64(count)),
            detail: "must have at most \(limit) item\(limit == 1 ? "" : "s")")
    }
}
