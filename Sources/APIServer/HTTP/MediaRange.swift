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

    /// Reads an `Accept` header, in its order.
    package static func list(_ text: String) -> [MediaRange] { text.split(separator: ",").map { MediaRange($0) } }
}

/// How an answer is written.
package struct OutputFormat: Sendable, Equatable {
    /// The syntax.
    package enum Encoding: Sendable {
        /// JSON.
        case json
        /// YAML.
        case yaml
    }

    /// The view of an object or list.
    package enum Shape: Sendable, Equatable {
        /// The object itself.
        case object
        /// Columns and rows; the version of `meta.k8s.io` that was asked for.
        case table(version: String)
        /// Metadata only.
        case metadata(version: String)
    }

    /// The syntax.
    package var encoding: Encoding = .json
    /// The view.
    package var shape: Shape = .object

    /// JSON of the object itself.
    package static let json = Self()

    /// The media types that can be served.
    package static let supported = ["application/json", "application/yaml"]

    /// The first entry of an `Accept` header that can be served; nil when there is none.
    package static func negotiate(accept: String?) -> OutputFormat? {
        guard let accept, !accept.isEmpty else { return .json }
        for range in MediaRange.list(accept) {
            var format = OutputFormat()
            switch range.type {
            case "application/json", "*/*", "application/*": format.encoding = .json
            case "application/yaml": format.encoding = .yaml
            default: continue
            }
            if let view = range.parameters["as"] {
                guard range.parameters["g"] == "meta.k8s.io", let version = range.parameters["v"],
                    ["v1", "v1beta1"].contains(version)
                else { continue }
                switch view {
                case "Table": format.shape = .table(version: version)
                case "PartialObjectMetadata", "PartialObjectMetadataList": format.shape = .metadata(version: version)
                default: continue
                }
            }
            return format
        }
        return nil
    }
}
