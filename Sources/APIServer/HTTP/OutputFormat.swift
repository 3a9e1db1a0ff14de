/// How an answer is written.
package struct OutputFormat: Sendable, Hashable {
    /// The syntax.
    package enum Encoding: Sendable {
        /// JSON.
        case json
        /// JSON in lines, for people.
        case prettyJSON
        /// YAML.
        case yaml
        /// The binary form.
        case protobuf

        /// The media type.
        package var mediaType: String {
            switch self {
            case .json, .prettyJSON: "application/json"
            case .yaml: "application/yaml"
            case .protobuf: "application/vnd.kubernetes.protobuf"
            }
        }
    }

    /// The view of an object or list.
    package enum Shape: Sendable, Hashable {
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

    /// The media types that can be read and written.
    package static let supported = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]
    /// The media types in which watches are written.
    package static let supportedStreams = ["application/json", "application/vnd.kubernetes.protobuf"]

    /// The first entry of an `Accept` header that can be served; nil when there is none.
    ///
    /// - Parameters:
    ///   - isPretty: Whether JSON shall be laid out for people.
    ///   - hasProtobuf: Whether the objects have a binary form.
    package static func negotiate(accept: String?, isPretty: Bool = false, hasProtobuf: Bool = true) -> OutputFormat? {
        let plain = isPretty ? Encoding.prettyJSON : .json
        guard let accept, !accept.isEmpty else { return OutputFormat(encoding: plain) }
        for range in MediaRange.list(accept) {
            if let format = negotiate(accept: range, plain: plain, hasProtobuf: hasProtobuf) { return format }
        }
        return nil
    }

    /// The format that one entry of an `Accept` header asks for; nil when it cannot be served.
    package static func negotiate(
        accept range: MediaRange, plain: Encoding = .json, hasProtobuf: Bool
    ) -> OutputFormat? {
        var format = OutputFormat()
        switch range.type {
        case "application/json", "*/*", "application/*": format.encoding = plain
        case "application/yaml": format.encoding = .yaml
        case "application/vnd.kubernetes.protobuf" where hasProtobuf: format.encoding = .protobuf
        default: return nil
        }
        guard let view = range.parameters["as"] else { return format }
        guard range.parameters["g"] == "meta.k8s.io", let version = range.parameters["v"],
            ["v1", "v1beta1"].contains(version)
        else { return nil }
        switch view {
        // Tables have no binary form.
        case "Table" where format.encoding != .protobuf: format.shape = .table(version: version)
        case "PartialObjectMetadata", "PartialObjectMetadataList": format.shape = .metadata(version: version)
        default: return nil
        }
        return format
    }
}
