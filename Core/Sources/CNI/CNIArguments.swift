/// The pairs of `CNI_ARGS`, `KEY=value;KEY=value`.
public struct CNIArguments: Sendable {
    /// The pairs in their order, `IgnoreUnknown` left out.
    public let pairs: [(key: String, value: String)]

    /// Reads the text and checks it against the keys that the caller knows.
    ///
    /// A key outside `known` is an error unless the text holds `IgnoreUnknown=1` (or `true`).
    public init(_ text: String, known: [String]) throws(CNIError) {
        var pairs: [(key: String, value: String)] = []
        var ignoresUnknown = false
        let texts = text.isEmpty ? [] : text.split(separator: ";", omittingEmptySubsequences: false)
        for pair in texts {
            let parts = pair.split(separator: "=", omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw CNIError("ARGS: invalid pair \"\(pair)\"") }
            let (key, value) = (String(parts[0]), String(parts[1]))
            guard key == "IgnoreUnknown" else {
                pairs.append((key, value))
                continue
            }
            switch value.lowercased() {
            case "1", "true": ignoresUnknown = true
            case "0", "false": ignoresUnknown = false
            default:
                throw CNIError(
                    "ARGS: error parsing value of pair \"\(pair)\": boolean unmarshal error: invalid input \(value)")
            }
        }
        let unknown = pairs.filter { !known.contains($0.key) }
        guard ignoresUnknown || unknown.isEmpty else {
            let list = unknown.map { "\"\($0.key)=\($0.value)\"" }.joined(separator: " ")
            throw CNIError("ARGS: unknown args [\(list)]")
        }
        self.pairs = pairs.filter { known.contains($0.key) }
    }

    /// The last value given for a key.
    public subscript(key: String) -> String? { pairs.last { $0.key == key }?.value }
}
