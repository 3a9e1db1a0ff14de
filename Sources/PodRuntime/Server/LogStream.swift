import CRI

/// Sends one instance's log, and follows it while the instance runs.
struct LogStream: Sendable {
    let path: String
    let options: LogOptions
    let containerID: String
    let runtime: CRIRuntime

    /// Passes the log on in pieces.
    func write(_ send: ([UInt8]) async throws -> Void) async throws {
        var reader = try LogReader(path: path, tailLines: options.tailLines)
        var filter = LogFilter(options)
        var idle = 0
        var hasEnded = false
        while !filter.isFull {
            let bytes = try reader.next()
            if !bytes.isEmpty {
                idle = 0
                let output = filter.take(bytes)
                if !output.isEmpty { try await send(output) }
                continue
            }
            guard options.isFollowing, !hasEnded else { return }
            idle += 1
            if idle.isMultiple(of: 4) {
                // What was written between the last read and the end is read once more.
                hasEnded = try await runtime.containerStatus(containerID)?.state != .containerRunning
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }
}
