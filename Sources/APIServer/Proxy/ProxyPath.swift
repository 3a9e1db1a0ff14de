/// The path of a proxied request: what is before `proxy` and its own, as the client wrote it.
package struct ProxyPath: Sendable, Equatable {
    /// The path up to and with `/proxy`.
    package let prefix: String
    /// What is behind it, with its leading slash; empty when there is nothing, not even a slash.
    package let rest: String

    /// Splits a path that names a subresource `proxy`.
    ///
    /// - Parameter depth: Number of the path's segments up to and with `proxy`.
    package init(_ path: String, depth: Int) {
        var segments = 0
        var end = path.utf8.startIndex
        var isInSegment = false
        for index in path.utf8.indices {
            let isSlash = path.utf8[index] == UInt8(ascii: "/")
            if isSlash, isInSegment, segments == depth { break }
            if !isSlash, !isInSegment { segments += 1 }
            isInSegment = !isSlash
            end = path.utf8.index(after: index)
        }
        prefix = String(path[..<end])
        rest = String(path[end...])
    }

    /// A `Location` of the backend's answer as the client reaches it: places at the backend are below the prefix.
    ///
    /// - Parameter hosts: The names by which the backend knows itself, with port.
    package func location(_ text: String, of hosts: [String]) -> String {
        guard let (length, head) = replacement(text, of: hosts) else { return text }
        return head + String(decoding: text.utf8.dropFirst(length), as: UTF8.self)
    }

    /// How a link to a place at the backend becomes one below the prefix; nil for one that stays as it is.
    ///
    /// - Returns: The number of bytes at its beginning that go, and what stands there instead.
    func replacement(_ text: String, of hosts: [String]) -> (length: Int, head: String)? {
        var path = Substring(text)
        var head = prefix
        for scheme in ["http://", "https://"] where text.hasPrefix(scheme) {
            let authority = text.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
            guard hosts.contains(where: { $0 == authority }) else { return nil }
            path = text.dropFirst(scheme.count + authority.count)
            // No path is the root (RFC 3986 §6.2.3).
            if !path.hasPrefix("/") { head += "/" }
        }
        let isRooted = head != prefix || path.hasPrefix("/")
        guard isRooted, !path.hasPrefix("//"), !path.hasPrefix(prefix + "/") else { return nil }
        return (text.utf8.count - path.utf8.count, head)
    }
}
