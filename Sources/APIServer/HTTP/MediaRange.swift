/// One entry of an `Accept` header, or a `Content-Type`.
package struct MediaRange: Sendable, Equatable {
    /// Type and subtype in lower case.
    package let type: String
    /// Parameters by lower-case name.
    package let parameters: [String: String]

    /// Reads one media type with parameters.
    package init(_ text: some StringProtocol) {
        let parts = text.split(separator: ";").map { part in
            String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        type = parts.first?.lowercased() ?? ""
        parameters = parts.dropFirst().reduce(into: [:]) { result, part in
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { return }
            result[pair[0].lowercased()] = pair[1].filter { $0 != "\"" }
        }
    }

    /// Reads an `Accept` header: the most wanted first, and in its order where nothing says otherwise.
    package static func list(_ text: String) -> [MediaRange] {
        let ranges = text.split(separator: ",").map { MediaRange($0) }.filter { $0.quality > 0 }
        guard ranges.contains(where: { $0.quality != 1 }) else { return ranges }
        return ranges.enumerated().sorted {
            ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset)
        }.map(\.element)
    }

    /// How much the client wants it (RFC 9110 §12.4.2), from 0 to 1.
    private var quality: Double { parameters["q"].flatMap { Double($0) } ?? 1 }
}
