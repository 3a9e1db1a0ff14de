/// A selection of objects by their fields, in the text form of query strings: `a.b=c,d!=e`.
public struct FieldSelector: Sendable, Hashable {
    /// One comparison of a field with a value.
    public struct Requirement: Sendable, Hashable {
        /// Path of the field, such as `metadata.name`.
        public let path: String
        /// The value.
        public let value: String
        /// False for `!=`.
        public let isEqual: Bool
    }

    /// The requirements, all of which must hold.
    public let requirements: [Requirement]

    /// Reads the text, in which `\` escapes commas, equal signs and itself; an empty one selects everything.
    public init(_ text: String) throws(SelectorError) {
        var requirements: [Requirement] = []
        for part in Self.split(text) where !part.isEmpty {
            guard let sign = part.firstIndex(of: "=") else {
                throw SelectorError(
                    description: "invalid selector: '\(text)'; can't understand '\(part)'")
            }
            var path = part[..<sign]
            let isEqual = path.last != "!"
            if !isEqual {
                path = path.dropLast()
            }
            var value = part[part.index(after: sign)...]
            if isEqual, value.first == "=" {
                value = value.dropFirst()
            }
            requirements.append(Requirement(path: String(path), value: Self.unescape(value), isEqual: isEqual))
        }
        self.requirements = requirements
    }

    /// True when every requirement holds; `field` gives the text of a field, absence counting as empty.
    public func matches(_ field: (String) -> String?) -> Bool {
        requirements.allSatisfy { ((field($0.path) ?? "") == $0.value) == $0.isEqual }
    }

    private static func split(_ text: String) -> [Substring] {
        var parts: [Substring] = []
        var start = text.startIndex
        var isEscaped = false
        for index in text.indices {
            if isEscaped {
                isEscaped = false
            } else if text[index] == "\\" {
                isEscaped = true
            } else if text[index] == "," {
                parts.append(text[start..<index])
                start = text.index(after: index)
            }
        }
        parts.append(text[start...])
        return parts
    }

    private static func unescape(_ text: Substring) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if !isEscaped, character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
                isEscaped = false
            }
        }
        return result
    }
}
