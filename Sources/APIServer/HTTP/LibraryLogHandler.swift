import Logging

/// Passes on what the HTTP library says, without the marks that it gives every request.
///
/// It makes a logger with a number of its own for each of them, which costs more than looking up the answer.
struct LibraryLogHandler: LogHandler {
    private let base: any LogHandler
    var logLevel: Logger.Level

    /// A logger like another one, for what is at least a warning.
    static func logger(_ base: Logger) -> Logger {
        Logger(label: base.label) { _ in
            LibraryLogHandler(base: base.handler, logLevel: max(base.logLevel, .warning))
        }
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        base.log(event: event)
    }
}
