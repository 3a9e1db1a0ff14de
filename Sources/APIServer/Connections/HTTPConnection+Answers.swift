import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTP1

extension HTTPConnection {
    /// Answers what is no request, which is the last thing that the connection does.
    func refuseInput() {
        isLast = true
        input = .malformed
        answer = .due(.http1_1)
        try? begin(Response(status: .badRequest))
        try? finish(nil)
        endTurn()
    }

    /// Writes the head of an answer.
    ///
    /// - Throws: `ChannelError.ioOnClosedChannel` when the client has gone.
    func begin(_ response: Response) throws {
        guard case .due(let version) = answer, let context, context.channel.isActive else {
            throw ChannelError.ioOnClosedChannel
        }
        var headers = HTTPHeaders(response)
        let isStreamed = response.body.contentLength == nil
        // HTTP/1.0 knows where a body ends by its length, or by the connection's end.
        let isOld = version == .http1_0
        if isOld, isStreamed { isLast = true }
        if isLast, response.status != .switchingProtocols {
            headers.replaceOrAdd(name: "Connection", value: "close")
        } else if isOld {
            headers.add(name: "Connection", value: "keep-alive")
        }
        let head = HTTPResponseHead(
            version: isOld ? .http1_0 : .http1_1,
            status: HTTPResponseStatus(
                statusCode: response.status.code, reasonPhrase: response.status.reasonPhrase), headers: headers)
        answer = .begun(isStreamed: isStreamed)
        unflushed = 0
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if isStreamed { context.flush() }
    }

    /// Writes a part of a body; what it returns succeeds when the client has read enough for the next one.
    ///
    /// - Throws: `ChannelError.ioOnClosedChannel` when the client has gone.
    func write(_ bytes: ByteBuffer) throws -> EventLoopFuture<Void>? {
        guard case .begun(let isStreamed) = answer, let context, context.channel.isActive else {
            throw ChannelError.ioOnClosedChannel
        }
        context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        unflushed += bytes.readableBytes
        // TLS holds what is not flushed, and nobody sees how much that is.
        if isStreamed || unflushed >= WriteGathering.limit {
            unflushed = 0
            context.flush()
        }
        guard !context.channel.isWritable, context.channel.isActive else { return nil }
        let promise = room ?? eventLoop.makePromise()
        room = promise
        return promise.futureResult
    }

    /// Writes the end of an answer.
    ///
    /// - Throws: `ChannelError.ioOnClosedChannel` when the client has gone.
    func finish(_ trailers: HTTPFields?) throws {
        guard case .begun = answer, let context, context.channel.isActive else {
            throw ChannelError.ioOnClosedChannel
        }
        answer = .written
        let end = wrapOutboundOut(.end(trailers.map { HTTPHeaders($0) }))
        guard isLast else { return context.writeAndFlush(end, promise: nil) }
        let promise = eventLoop.makePromise(of: Void.self)
        lastWrite = promise.futureResult
        context.writeAndFlush(end, promise: promise)
    }

    /// Ends the work for a request, and begins with the next one.
    ///
    /// An answer that is not whole ends the connection.
    func endTurn() {
        let isWhole = if case .written = answer { true } else { false }
        answer = .none
        lastActive = .now()
        guard let context, context.channel.isActive else { return endedPromise.succeed() }
        guard isWhole else { return context.close(promise: nil) }
        if case .streamed = input { input = .skipped }
        isReaderBehind = false
        continueAfterTurn()
    }

    /// Begins with the next request, or ends the connection, now that a turn is over.
    func continueAfterTurn() {
        guard isLast else { return takeEarlyParts() }
        // A close amid a body could discard the answer that its client has not read yet.
        if case .skipped = input { readAgain() } else { closeAfterLastWrite() }
    }

    /// Goes on with what has come meanwhile.
    func takeEarlyParts() {
        while let part = early.first, isDue(part) {
            early.removeFirst()
            receive(part)
        }
        readAgain()
    }

    private func closeAfterLastWrite() {
        guard let context else { return }
        let written = lastWrite ?? eventLoop.makeSucceededVoidFuture()
        written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
    }
}
