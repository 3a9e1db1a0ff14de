/// A text that is not a selector, and why.
public struct SelectorError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong with the text.
    public let description: String
}

/// One requirement of a label query.
public struct LabelRequirement: Sendable, Hashable {
    /// How the value is compared.
    public enum Operation: Sendable, Hashable {
        /// The label has one of the values.
        case isIn([String])
        /// The label is absent or has none of the values.
        case isNotIn([String])
        /// The label is present.
        case exists
        /// The label is absent.
        case doesNotExist
        /// The label is an integer above the bound.
        case isGreater(Int)
        /// The label is an integer below the bound.
        case isLess(Int)
    }

    /// The label.
    public let key: String
    /// The comparison.
    public let operation: Operation

    /// True when the requirement holds for the labels.
    public func matches(_ labels: [String: String]) -> Bool {
        let value = labels[key]
        switch operation {
        case .isIn(let values): return value.map(values.contains) ?? false
        case .isNotIn(let values): return value.map { !values.contains($0) } ?? true
        case .exists: return value != nil
        case .doesNotExist: return value == nil
        case .isGreater(let bound): return value.flatMap { Int($0) }.map { $0 > bound } ?? false
        case .isLess(let bound): return value.flatMap { Int($0) }.map { $0 < bound } ?? false
        }
    }
}

/// A label selector in the text form of query strings: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1,m<2`.
public struct LabelQuery: Sendable, Hashable {
    /// The requirements, all of which must hold.
    public let requirements: [LabelRequirement]

    /// Reads the text; an empty one selects everything.
    public init(_ text: String) throws(SelectorError) {
        var lexer = SelectorLexer(text)
        var requirements: [LabelRequirement] = []
        while lexer.peek() != nil {
            requirements.append(try Self.requirement(&lexer))
            guard let next = lexer.next() else { break }
            guard next == ",", lexer.peek() != nil else {
                throw lexer.error("found '\(next)', expected: ',' or 'end of string'")
            }
        }
        self.requirements = requirements
    }

    /// True when every requirement holds for the labels.
    public func matches(_ labels: [String: String]) -> Bool {
        requirements.allSatisfy { $0.matches(labels) }
    }

    private static func requirement(_ lexer: inout SelectorLexer) throws(SelectorError) -> LabelRequirement {
        if lexer.peek() == "!" {
            _ = lexer.next()
            return LabelRequirement(key: try lexer.word(), operation: .doesNotExist)
        }
        let key = try lexer.word()
        guard let token = lexer.peek(), token != "," else { return LabelRequirement(key: key, operation: .exists) }
        _ = lexer.next()
        switch token {
        case "=", "==": return LabelRequirement(key: key, operation: .isIn([try lexer.value()]))
        case "!=": return LabelRequirement(key: key, operation: .isNotIn([try lexer.value()]))
        case "in": return LabelRequirement(key: key, operation: .isIn(try lexer.list()))
        case "notin": return LabelRequirement(key: key, operation: .isNotIn(try lexer.list()))
        case ">", "<":
            let value = try lexer.value()
            guard let bound = Int(value) else {
                throw lexer.error("for 'Gt', 'Lt' operators, the value must be an integer, not '\(value)'")
            }
            return LabelRequirement(key: key, operation: token == ">" ? .isGreater(bound) : .isLess(bound))
        default:
            throw lexer.error("found '\(token)', expected: in, notin, =, ==, !=, gt, lt")
        }
    }
}

/// Splits a selector into words and signs.
struct SelectorLexer {
    private var tokens: ArraySlice<String>

    init(_ text: String) {
        var tokens: [String] = []
        var word = ""
        let signs: Set<Character> = [",", "(", ")", "!", "=", "<", ">"]
        for character in text {
            if signs.contains(character) || character.isWhitespace {
                if !word.isEmpty {
                    tokens.append(word)
                    word = ""
                }
                if character == "=", let last = tokens.last, last == "=" || last == "!" {
                    tokens[tokens.count - 1] = last + "="
                } else if !character.isWhitespace {
                    tokens.append(String(character))
                }
            } else {
                word.append(character)
            }
        }
        if !word.isEmpty {
            tokens.append(word)
        }
        self.tokens = tokens[...]
    }

    func peek() -> String? { tokens.first }

    mutating func next() -> String? { tokens.popFirst() }

    func error(_ reason: String) -> SelectorError {
        SelectorError(description: "unable to parse requirement: \(reason)")
    }

    /// A key, which must be there.
    mutating func word() throws(SelectorError) -> String {
        guard let token = tokens.popFirst() else { throw error("found '', expected: identifier") }
        guard token.allSatisfy({ $0.isLetter || $0.isNumber || "-_./".contains($0) }) else {
            throw error("found '\(token)', expected: identifier")
        }
        return token
    }

    /// A value, which may be empty.
    mutating func value() throws(SelectorError) -> String {
        guard let token = tokens.first, token != "," else { return "" }
        return try word()
    }

    /// Values in parentheses.
    mutating func list() throws(SelectorError) -> [String] {
        guard tokens.popFirst() == "(" else { throw error("expected: '('") }
        var values: [String] = []
        while true {
            let isEmpty = [",", ")"].contains(tokens.first)
            values.append(isEmpty ? "" : try word())
            switch tokens.popFirst() {
            case ",": continue
            case ")": return values
            case let token: throw error("found '\(token ?? "")', expected: ',' or ')'")
            }
        }
    }
}
