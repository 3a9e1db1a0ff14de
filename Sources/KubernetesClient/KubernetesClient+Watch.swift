import AsyncHTTPClient
import JSON
import NIOCore

extension KubernetesClient {
    /// Begins a watch of a collection.
    func watch(path: String, query: [(String, String)], timeout: Duration) async throws -> WatchEvents {
        let seconds = Int(timeout.components.seconds)
        let more = [("watch", "true"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", "\(seconds)")]
        return WatchEvents(body: try await send(.get, path: path, query: query + more, body: nil).body)
    }
}

/// The events of one watch, read from the connection only as fast as they are consumed.
struct WatchEvents: AsyncSequence {
    let body: HTTPClientResponse.Body

    struct Iterator: AsyncIteratorProtocol {
        var chunks: HTTPClientResponse.Body.AsyncIterator
        var lines = LineSplitter()

        mutating func next() async throws -> JSONValue? {
            while true {
                if let line = lines.next() {
                    return try JSONValue(parsing: line)
                }
                guard let chunk = try await chunks.next() else { return nil }
                try lines.append(chunk.readableBytesView)
            }
        }
    }

    func makeAsyncIterator() -> Iterator {
        Iterator(chunks: body.makeAsyncIterator())
    }
}

/// A line of a watch that exceeds the limit.
package struct WatchLineTooLong: Error {}

/// Cuts a stream of bytes into lines.
package struct LineSplitter {
    private var buffer: [UInt8] = []
    private var start = 0
    private var scanned = 0

    /// Creates a splitter without input.
    package init() {}

    /// Largest line in bytes.
    static let limit = 16 << 20

    package mutating func append(_ bytes: some Collection<UInt8>) throws(WatchLineTooLong) {
        if start > 0 {
            buffer.removeFirst(start)
            scanned -= start
            start = 0
        }
        guard buffer.count + bytes.count <= Self.limit else { throw WatchLineTooLong() }
        buffer.append(contentsOf: bytes)
    }

    /// The next complete line that is not empty, without its end.
    package mutating func next() -> [UInt8]? {
        while let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = buffer[start..<end]
            start = end + 1
            scanned = start
            if !line.isEmpty {
                return Array(line)
            }
        }
        scanned = buffer.count
        return nil
    }
}
