import Logging

/// Log output of the long-running parts.
enum LogOutput {
    /// A logger that writes to standard error.
    static func logger(_ label: String) -> Logger {
        Logger(label: label) { StreamLogHandler.standardError(label: $0) }
    }
}
