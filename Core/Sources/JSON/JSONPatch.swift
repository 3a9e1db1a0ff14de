/// A list of changes to a document (RFC 6902); all of them apply, or none.
public struct JSONPatch: Hashable, Sendable {
    /// One change.
    public enum Operation: Hashable, Sendable {
        /// Puts a value at a place: sets a member, or inserts before an element.
        case add(JSONPointer, JSONValue)
        /// Removes what is at a place.
        case remove(JSONPointer)
        /// Replaces what is at a place.
        case replace(JSONPointer, JSONValue)
        /// Removes what is at `from` and adds it at `path`.
        case move(from: JSONPointer, path: JSONPointer)
        /// Adds what is at `from` at `path`.
        case copy(from: JSONPointer, path: JSONPointer)
        /// Fails unless the value at a place equals this one.
        case test(JSONPointer, JSONValue)
    }

    /// The changes in order.
    public var operations: [Operation]

    /// Makes a patch.
    public init(operations: [Operation]) { self.operations = operations }

    /// Reads the array form of a patch.
    public init(_ value: JSONValue) throws(JSONPatchError) {
        guard let elements = value.array else {
            throw JSONPatchError(code: .malformed, operation: nil, message: "a JSON patch is an array of operations")
        }
        operations = []
        for (index, element) in elements.enumerated() {
            operations.append(try JSONPatch.operation(element, at: index))
        }
    }

    /// Applies every operation in order; the document is left as it was if one fails.
    ///
    /// A short patch can make a document grow without end; one that copies more than 3 MiB, moves too many neighbours or
    /// nests too deeply is refused.
    public func apply(to document: inout JSONValue) throws(JSONPatchError) {
        var result = document
        var budget = JSONPatchBudget()
        for (index, operation) in operations.enumerated() {
            do throws(JSONPatchFailure) {
                try operation.apply(to: &result, &budget)
            } catch {
                throw JSONPatchError(code: error.code, operation: index, message: error.message)
            }
        }
        document = result
    }

    private static func operation(_ element: JSONValue, at index: Int) throws(JSONPatchError) -> Operation {
        func malformed(_ message: String) -> JSONPatchError {
            JSONPatchError(code: .malformed, operation: index, message: message)
        }
        func pointer(_ key: String) throws(JSONPatchError) -> JSONPointer {
            guard let text = element[key]?.string else { throw malformed("\"\(key)\" is missing or no string") }
            guard let pointer = JSONPointer(text) else { throw malformed("\"\(text)\" is not a JSON pointer") }
            return pointer
        }
        func value() throws(JSONPatchError) -> JSONValue {
            guard let value = element["value"] else { throw malformed("\"value\" is missing") }
            return value
        }
        guard let name = element["op"]?.string else { throw malformed("\"op\" is missing or no string") }
        switch name {
        case "add": return .add(try pointer("path"), try value())
        case "remove": return .remove(try pointer("path"))
        case "replace": return .replace(try pointer("path"), try value())
        case "move": return .move(from: try pointer("from"), path: try pointer("path"))
        case "copy": return .copy(from: try pointer("from"), path: try pointer("path"))
        case "test": return .test(try pointer("path"), try value())
        default: throw malformed("\"\(name)\" is not an operation")
        }
    }
}

/// Why a JSON patch could not be read or applied.
public struct JSONPatchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public struct Code: Hashable, Sendable {
        private enum Kind: Hashable { case malformed, missing, testFailed, tooCostly }
        private let kind: Kind

        /// The patch itself is not well-formed.
        public static let malformed = Code(kind: .malformed)
        /// A path leads to nothing in the document.
        public static let missing = Code(kind: .missing)
        /// A `test` operation found another value.
        public static let testFailed = Code(kind: .testFailed)
        /// The patch asks for more than a server can afford.
        public static let tooCostly = Code(kind: .tooCostly)
    }

    /// The kind of failure.
    public let code: Code
    /// The position of the failing operation, from 0; nil if the patch as a whole is not one.
    public let operation: Int?
    /// What is wrong.
    public let message: String

    /// The message, and which operation it is about.
    public var description: String {
        operation.map { "JSON patch operation \($0): \(message)" } ?? message
    }
}
