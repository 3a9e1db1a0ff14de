import Glibc

/// Lines on standard error that say what is being done, with the seconds since the start.
struct Progress: Sendable {
    private let start = ContinuousClock.now

    /// Says what is done now.
    func step(_ text: String) {
        let elapsed = ContinuousClock.now - start
        let tenths = elapsed.components.seconds * 10 + elapsed.components.attoseconds / 100_000_000_000_000_000
        let seconds = "\(tenths / 10).\(tenths % 10)s"
        let padding = String(repeating: " ", count: max(0, 6 - seconds.count))
        let line = Array("\(padding)\(seconds)  \(text)\n".utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}
