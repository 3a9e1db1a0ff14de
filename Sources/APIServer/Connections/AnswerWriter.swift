import HTTPTypes
import HummingbirdCore
import NIOCore

/// Writes the answer to one request, from any thread, and no faster than the client reads.
struct AnswerWriter: ResponseBodyWriter, Sendable {
    private let connection: NIOLoopBound<HTTPConnection>
    private let eventLoop: any EventLoop

    init(_ connection: HTTPConnection, on eventLoop: any EventLoop) {
        self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
        self.eventLoop = eventLoop
    }

    /// Writes a whole answer.
    ///
    /// What has begun cannot be taken back: an answer that breaks off ends the connection.
    ///
    /// - Throws: why the answer is not whole.
    func send(_ response: Response) async throws {
        let result: Result<Void, any Error>
        do {
            try await onEventLoop { try $0.begin(response) }
            try await response.body.write(self)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await onEventLoop { $0.endTurn() }
        try result.get()
    }

    @concurrent
    func write(_ buffer: ByteBuffer) async throws {
        let room = try await onEventLoop { try $0.write(buffer) }
        try await room?.get()
    }

    @concurrent
    consuming func finish(_ trailers: HTTPFields?) async throws {
        try await onEventLoop { try $0.finish(trailers) }
    }

    private func onEventLoop<Result: Sendable>(
        _ body: @escaping @Sendable (HTTPConnection) throws -> Result
    ) async throws -> Result {
        if eventLoop.inEventLoop { return try body(connection.value) }
        return try await eventLoop.submit { [connection] in try body(connection.value) }.get()
    }
}
