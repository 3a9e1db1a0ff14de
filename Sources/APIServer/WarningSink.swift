import Synchronization

/// Collects the warnings of one request, in order and without repetitions.
package final class WarningSink: Sendable {
    private let texts = Mutex<[String]>([])

    /// Starts empty.
    package init() {}

    /// Adds a text unless it is already there.
    package func warn(_ text: String) {
        texts.withLock { if !$0.contains(text) { $0.append(text) } }
    }

    /// The texts so far.
    package var all: [String] { texts.withLock { $0 } }
}
