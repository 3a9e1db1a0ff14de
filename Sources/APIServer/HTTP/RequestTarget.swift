/// What a path of the API names.
package enum RequestTarget: Sendable, Equatable {
    /// A collection, an object or a subresource.
    case resource(ResourcePath)
    /// `/api`, `/apis` or something below them that is no resource: the segments.
    case discovery([String])
    /// Anything else: the segments.
    case other([String])

    /// A path below `/api/v1` or `/apis/<group>/<version>`.
    package struct ResourcePath: Sendable, Equatable {
        /// API group, empty for the core group.
        package var group: String
        /// Version within the group.
        package var version: String
        /// Namespace; nil for cluster-scoped resources and for all namespaces.
        package var namespace: String?
        /// Plural.
        package var plural: String
        /// Name of the object; nil for the collection.
        package var name: String?
        /// Subresource of the object.
        package var subresource: String?
        /// Segments behind the subresource, for proxies.
        package var rest: [String] = []
        /// True for the old form of watches, with `watch` before the resource.
        package var isWatch = false
    }

    /// Reads a path.
    package init(path: String) {
        let segments = path.utf8.split(separator: UInt8(ascii: "/")).map { Query.decodeSegment(Substring($0)) }
        let prefixLength: Int
        switch segments.first {
        case "api": prefixLength = 2
        case "apis": prefixLength = 3
        default:
            self = .other(segments)
            return
        }
        guard segments.count > prefixLength else {
            self = .discovery(segments)
            return
        }
        var rest = segments[prefixLength...]
        var result = ResourcePath(
            group: prefixLength == 2 ? "" : segments[1], version: segments[prefixLength - 1], plural: "")
        if rest.first == "watch", rest.count > 1 {
            result.isWatch = true
            rest = rest.dropFirst()
        }
        // `/namespaces/<name>` and its own subresources are the namespace; anything else below it is in the namespace.
        if rest.first == "namespaces", rest.count > 2, !Self.namespaceSubresources.contains(rest[rest.startIndex + 2]) {
            result.namespace = rest[rest.startIndex + 1]
            rest = rest.dropFirst(2)
        }
        result.plural = rest.popFirst() ?? ""
        result.name = rest.popFirst()
        result.subresource = rest.popFirst()
        result.rest = Array(rest)
        self = .resource(result)
    }

    private static let namespaceSubresources: Set<String> = ["status", "finalize"]
}
