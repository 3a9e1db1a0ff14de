package import KubernetesAPI

/// What part of a log is wanted, and in what form.
package struct LogOptions: Sendable, Hashable {
    /// True goes on until the container ends.
    package var isFollowing = false
    /// True asks for the instance before the present one.
    package var isPrevious = false
    /// True puts its time before each line.
    package var hasTimestamps = false
    /// Number of lines from the end; nil for all.
    package var tailLines: Int?
    /// Earliest time of a line.
    package var since: Timestamp?
    /// Number of bytes after which the output ends.
    package var limitBytes: Int?

    /// Options that ask for the whole log.
    package init() {}

    /// Reads the query of a log request.
    ///
    /// - Returns: nil when a number or time cannot be read.
    package init?(query: (String) -> String?, now: Timestamp) {
        func flag(_ name: String) -> Bool { ["true", "1", "True"].contains(query(name) ?? "") }
        isFollowing = flag("follow")
        isPrevious = flag("previous")
        hasTimestamps = flag("timestamps")
        if let text = query("tailLines"), text != "all" {
            guard let number = Int(text), number >= 0 else { return nil }
            tailLines = number
        }
        if let text = query("limitBytes") {
            guard let number = Int(text), number > 0 else { return nil }
            limitBytes = number
        }
        if let text = query("sinceSeconds") {
            guard let number = Int64(text), number > 0 else { return nil }
            since = now.advanced(bySeconds: -number)
        } else if let text = query("sinceTime") {
            guard let time = Timestamp(text) else { return nil }
            since = time
        }
    }
}
