/// A length of time in the syntax of Go, such as `34s`, `1m30s` or `1.5h`, in which clients send time-outs.
public struct DurationText: Sendable, Hashable {
    /// The length; longer ones than an `Int64` of seconds can say are cut.
    public let duration: Duration

    /// Why a text is no duration, in Go's words.
    public struct ParseError: Error, Sendable, Hashable, CustomStringConvertible {
        /// The text.
        public let description: String
    }

    private static let units: [String: Double] = [
        "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
    ]
    /// What Go can hold, 2⁶³ nanoseconds.
    private static let limit = 9_223_372_036.0

    /// Reads a text.
    ///
    /// - Throws: for text that is no duration.
    public init(_ text: String) throws(ParseError) {
        let quoted = "\"\(text)\""
        let malformed = ParseError(description: "time: invalid duration \(quoted)")
        var rest = text[...]
        let sign: Double = rest.first == "-" ? -1 : 1
        if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
        guard rest != "0" else {
            duration = .zero
            return
        }
        guard !rest.isEmpty else { throw malformed }
        var seconds = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard digits.contains(where: { $0 != "." }), let number = Self.number(digits) else { throw malformed }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { $0 != "." && !($0.isASCII && $0.isNumber) }
            guard !unit.isEmpty else { throw ParseError(description: "time: missing unit in duration \(quoted)") }
            guard let factor = Self.units[String(unit)] else {
                throw ParseError(description: "time: unknown unit \"\(unit)\" in duration \(quoted)")
            }
            rest = rest[unit.endIndex...]
            seconds += number * factor
            guard seconds < Self.limit else { throw malformed }
        }
        duration = .seconds(sign * seconds)
    }

    /// Digits with at most one point, which may be first or last.
    private static func number(_ digits: Substring) -> Double? {
        guard digits.count(where: { $0 == "." }) <= 1 else { return nil }
        // A point alone at either end is no number elsewhere.
        return Double(digits.contains(".") ? "0\(digits)0" : digits)
    }
}
