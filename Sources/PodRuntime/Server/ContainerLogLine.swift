package import KubernetesAPI

/// One line of a container's log, in the form that the runtime writes: time, stream, tag, content.
package struct ContainerLogLine: Sendable, Equatable {
    /// The line's time as RFC 3339 text with nanoseconds.
    package var timeText: String
    /// True when the line goes on in the next entry.
    package var isPartial: Bool
    /// What the container wrote, without the line's end.
    package var content: ArraySlice<UInt8>

    /// Reads `2024-05-01T10:00:00.123456789Z stdout F text`; nil for anything else.
    package init?(_ line: ArraySlice<UInt8>) {
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 4 else { return nil }
        timeText = String(decoding: fields[0], as: UTF8.self)
        guard timeText.utf8.contains(UInt8(ascii: "T")) else { return nil }
        // The tag is a list by colons, of which only the first has a meaning.
        isPartial = fields[2].first == UInt8(ascii: "P")
        content = fields[3]
    }

    /// The line's time.
    package var time: Timestamp? { Timestamp(timeText) }
}
