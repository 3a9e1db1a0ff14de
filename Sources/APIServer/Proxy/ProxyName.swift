package import KubernetesAPI

/// What a proxied request names: `[scheme:]name[:port]`.
package struct ProxyName: Sendable, Equatable {
    /// True for `https`.
    package let isSecure: Bool
    /// Name of the Service, pod or node.
    package let name: String
    /// Number or name of the port; empty without one.
    package let port: String

    /// Reads the segment of a path.
    ///
    /// - Throws: 400 for another scheme than `http` and `https`, and for too many or too few parts.
    package init(_ text: String, of resource: Resource) throws(StatusError) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let scheme = parts.count == 3 ? parts[0] : ""
        name = parts.count == 3 ? parts[1] : parts[0]
        guard parts.count <= 3, !name.isEmpty, ["", "http", "https"].contains(scheme) else {
            throw .badRequest("invalid \(resource.kind.lowercased()) request \"\(text)\"")
        }
        isSecure = scheme == "https"
        port = parts.count > 1 ? parts[parts.count - 1] : ""
    }
}
