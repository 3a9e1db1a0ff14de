public import JSON

/// A value that does not fit its type.
public struct SchemaError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The text, in the words of Kubernetes' decoder.
    public let description: String
}

extension SchemaNode {
    /// Brings a value from a client into the form in which typed servers hold it.
    ///
    /// Unknown fields, nulls, and empty texts, lists and maps, zeros and false of optional fields are dropped; wrong types are
    /// refused.
    ///
    /// - Parameters:
    ///   - kind: The kind of the object, for texts.
    ///   - keepsEmpty: Whether empty values stay, because they are wanted so and not just left out.
    /// - Returns: The paths of unknown fields, such as `spec.containers[0].foo`.
    public func decode(
        _ value: inout JSONValue, kind: String, keepsEmpty: Bool = false
    ) throws(SchemaError) -> [String] {
        var decoder = Decoding(structName: kind, keepsEmpty: keepsEmpty)
        try decoder.visit(&value, self, "", "")
        return decoder.unknown
    }

    private struct Decoding {
        /// The type whose field is being read.
        var structName: String
        let keepsEmpty: Bool
        var unknown: [String] = []

        /// - Parameters:
        ///   - path: With indices, as unknown fields are told.
        ///   - field: Without them, as wrong types are told.
        mutating func visit(
            _ value: inout JSONValue, _ node: SchemaNode, _ path: String, _ field: String
        ) throws(SchemaError) {
            switch (node, value) {
            case (.any, _), (.string, .string), (.boolean, .bool), (.intOrString, .string): return
            case (.integer(let bits), .integer(let number)):
                if bits == 32, Int32(exactly: number) == nil { throw mismatch("number \(number)", node, field) }
            case (.intOrString, .integer(let number)):
                if Int32(exactly: number) == nil { throw mismatch("number \(number)", .integer(bits: 32), field) }
            case (.integer, .double(let number)): throw mismatch("number \(number)", node, field)
            case (.bytes, .string(let text)):
                if let offset = Base64.firstError(text) {
                    throw SchemaError(description: "illegal base64 data at input byte \(offset)")
                }
            case (.time, .string(let text)), (.microTime, .string(let text)):
                if Timestamp(text) == nil { throw unreadableTime(text) }
            case (.quantity, .integer(let number)): value = .string(String(number))
            case (.quantity, .double(let number)): value = .string(number.description)
            case (.quantity, .string(let text)):
                if Quantity(text) == nil { throw SchemaDecodingText.badQuantity }
            case (.list(let element), .array(var elements)):
                value = .null
                for index in elements.indices {
                    if elements[index].isNull { elements[index] = element.zero }
                    try visit(&elements[index], element, "\(path)[\(index)]", field)
                }
                value = .array(elements)
            case (.map(let element), .object(var members)):
                value = .null
                for key in members.keys {
                    var member = members[key] ?? .null
                    if member.isNull { member = element.zero }
                    try visit(&member, element, "\(path).\(key)", "\(field).\(key)")
                    members[key] = member
                }
                value = .object(members)
            case (.object(let type), .object(let members)): try visit(members, of: type, &value, path, field)
            default: throw mismatch(value.kindName, node, field)
            }
        }

        private mutating func visit(
            _ members: JSONObject, of type: SchemaType, _ value: inout JSONValue, _ path: String, _ field: String
        ) throws(SchemaError) {
            let outer = structName
            structName = type.name
            value = .null
            var kept = JSONObject()
            for (key, member) in members {
                let memberPath = path.isEmpty ? key : "\(path).\(key)"
                guard let schema = type[key] else {
                    unknown.append(memberPath)
                    continue
                }
                if member.isNull { continue }
                var member = member
                try visit(&member, schema.node, memberPath, field.isEmpty ? key : "\(field).\(key)")
                if !keepsEmpty, !schema.isRequired, !schema.distinguishesEmpty, schema.node.isOmittedWhenEmpty(member) {
                    continue
                }
                kept[key] = member
            }
            structName = outer
            value = .object(kept)
        }

        private func mismatch(_ found: String, _ node: SchemaNode, _ field: String) -> SchemaError {
            SchemaError(
                description: "json: cannot unmarshal \(found) into Go "
                    + (field.isEmpty ? "value" : "struct field \(structName).\(field)") + " of type \(node.typeName)")
        }

        private func unreadableTime(_ text: String) -> SchemaError {
            let quoted = JSONValue.string(text).text()
            return SchemaError(
                description: "parsing time \(quoted) as \"2006-01-02T15:04:05Z07:00\": cannot parse \(quoted)")
        }
    }

    /// What a null element of a list or map stands for.
    private var zero: JSONValue {
        switch self {
        case .string, .bytes: ""
        case .boolean: false
        case .integer, .intOrString: 0
        case .quantity: "0"
        case .list: []
        case .map, .object: [:]
        case .time, .microTime, .any: nil
        }
    }

    private func isOmittedWhenEmpty(_ value: JSONValue) -> Bool {
        switch (self, value) {
        case (.string, .string(let text)): text.isEmpty
        case (.integer, .integer(let number)): number == 0
        case (.boolean, .bool(let flag)): !flag
        case (.list, .array(let elements)): elements.isEmpty
        case (.map, .object(let members)): members.isEmpty
        default: false
        }
    }
}

enum SchemaDecodingText {
    static let badQuantity = SchemaError(
        description: "quantities must match the regular expression "
            + "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
}

extension JSONValue {
    /// The name of the kind of value in the texts of Kubernetes' decoder.
    fileprivate var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .integer, .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
