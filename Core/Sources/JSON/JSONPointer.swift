/// A path to one value inside a document (RFC 6901).
public struct JSONPointer: Hashable, Sendable {
    /// The unescaped reference tokens; empty for the whole document.
    public var tokens: [String]

    /// Makes a pointer from unescaped tokens.
    public init(tokens: [String]) { self.tokens = tokens }

    /// The array position that a token stands for; nil for leading zeros, signs and anything else.
    static func index(_ token: String) -> Int? {
        guard let first = token.utf8.first,
            token.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            first != UInt8(ascii: "0") || token.utf8.count == 1
        else { return nil }
        return Int(token)
    }
}

extension JSONPointer: LosslessStringConvertible {
    /// Reads `/spec/ports/0`, with `~1` for a slash and `~0` for a tilde; nil for any other use of `~` and for text
    /// that neither is empty nor starts with a slash.
    public init?(_ text: String) {
        guard !text.isEmpty else {
            tokens = []
            return
        }
        guard text.utf8.first == UInt8(ascii: "/") else { return nil }
        tokens = []
        for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let token = JSONPointer.unescaped(part) else { return nil }
            tokens.append(token)
        }
    }

    /// The text that the initialiser reads.
    public var description: String {
        tokens.map { token in
            "/" + token.flatMap { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }
        }.joined()
    }

    private static func unescaped(_ part: Substring) -> String? {
        guard part.utf8.contains(UInt8(ascii: "~")) else { return String(part) }
        var token = ""
        var scalars = part.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "~" else {
                token.unicodeScalars.append(scalar)
                continue
            }
            switch scalars.next() {
            case "0": token += "~"
            case "1": token += "/"
            default: return nil
            }
        }
        return token
    }
}

extension JSONValue {
    /// The value that a pointer leads to; nil where there is none.
    public subscript(pointer: JSONPointer) -> JSONValue? {
        var value = self
        for token in pointer.tokens {
            let next =
                switch value {
                case .object(let object): object[token]
                case .array: JSONPointer.index(token).flatMap { value[$0] }
                default: JSONValue?.none
                }
            guard let next else { return nil }
            value = next
        }
        return value
    }
}
