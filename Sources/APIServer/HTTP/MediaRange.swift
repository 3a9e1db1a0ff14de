/// One entry of an `Accept` header, or a `Content-Type`.
package struct MediaRange: Sendable, Equatable {
    /// Type and subtype in lower case.
    package let type: String
    /// Parameters by lower-case name.
    package let parameters: [String: String]

    /// Reads one media type with parameters.
    package init(_ text: some StringProtocol) {
        var parts = Substring(text).utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)[...]
        type = parts.popFirst().map { Self.trimmed($0).lowercased() } ?? ""
        var parameters: [String: String] = [:]
        for part in parts {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { continue }
            parameters[Self.trimmed(part[..<equals]).lowercased()] =
                Self.trimmed(part[part.index(after: equals)...]).filter { $0 != "\"" }
        }
        self.parameters = parameters
    }

    /// The text without the spaces around it.
    private static func trimmed(_ bytes: Substring.UTF8View) -> String {
        let space = UInt8(ascii: " ")
        guard let first = bytes.firstIndex(where: { $0 != space }), let last = bytes.lastIndex(where: { $0 != space })
        else { return "" }
        return String(decoding: bytes[first...last], as: UTF8.self)
    }

    /// Reads an `Accept` header: the most wanted first, and in its order where nothing says otherwise.
    package static func list(_ text: String) -> [MediaRange] {
        let ranges = text.utf8.split(separator: UInt8(ascii: ",")).map { MediaRange(Substring($0)) }.filter {
            $0.quality > 0
        }
        guard ranges.contains(where: { $0.quality != 1 }) else { return ranges }
        return ranges.enumerated().sorted {
            ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset)
        }.map(\.element)
    }

    /// How much the client wants it (RFC 9110 §12.4.2), from 0 to 1.
    private var quality: Double { parameters["q"].flatMap { Double($0) } ?? 1 }
}
