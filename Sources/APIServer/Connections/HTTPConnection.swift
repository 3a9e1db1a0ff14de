import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// One connection of HTTP/1.1 (RFC 9112), from parts of requests to parts of answers.
///
/// Requests are answered one after the other, each by a task that begins on the connection's thread, amid the reading of the
/// request; an answer that waits for nothing is written before that returns.
final class HTTPConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPServerResponsePart

    /// Answers a request.
    typealias Responder = @Sendable (Request, ServerRequestContext) async -> Response

    /// Bytes of a body up to which it is put together before its request is answered.
    private static let collectedBody = 16 << 10
    /// Parts of requests after the one that is being answered that are kept; more are left in the kernel.
    private static let earlyParts = 16

    /// What the next part of the input belongs to.
    enum Input {
        /// A request of its own.
        case nothing
        /// A request that is answered once its body is here.
        case collected(HTTPRequestHead, ByteBuffer)
        /// The body of the request that is being answered.
        case streamed(RequestFeed)
        /// A body whose request has been answered.
        case skipped
        /// Nothing any more: what came is no HTTP.
        case malformed
    }

    /// How far the answer to a request is.
    enum Answer {
        /// No request is being answered.
        case none
        /// Nothing has been written.
        case due(HTTPVersion)
        /// The head has been written; what comes bit by bit is sent at once.
        case begun(isStreamed: Bool)
        /// All has been written, and the task is about to end.
        case written
    }

    let eventLoop: any EventLoop
    private let executor: EventLoopTaskExecutor
    private let idleTimeout: TimeAmount
    private let responder: Responder
    private let logger: Logger
    private let isEnding: EventLoopPromise<Void>
    let endedPromise: EventLoopPromise<Void>

    var context: ChannelHandlerContext?
    var input = Input.nothing
    var answer = Answer.none
    /// Parts that came before their turn.
    var early = CircularBuffer<HTTPServerRequestPart>()
    /// Whether the connection ends with the current answer.
    var isLast = false
    /// Whether the reader of a body is behind.
    var isReaderBehind = false
    /// Whether the connection was asked to read while it must not.
    private var isReadDue = false
    /// Bytes of the answer that wait for more.
    var unflushed = 0
    /// The end of the last answer on its way.
    var lastWrite: EventLoopFuture<Void>?
    /// What waits for the client to read.
    var room: EventLoopPromise<Void>?
    private var task: Task<Void, Never>?
    var lastActive = NIODeadline.now()
    private var idleTimer: Scheduled<Void>?

    init(on channel: any Channel, idleTimeout: TimeAmount, logger: Logger, responder: @escaping Responder) {
        eventLoop = channel.eventLoop
        executor = EventLoopTaskExecutor.of(eventLoop)
        self.idleTimeout = idleTimeout
        self.responder = responder
        self.logger = logger
        isEnding = eventLoop.makePromise()
        endedPromise = eventLoop.makePromise()
    }

    /// Succeeds once the connection is closed and no request of it is worked on any more.
    var ended: EventLoopFuture<Void> { endedPromise.futureResult }

    // MARK: The connection

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        watchForIdleness(until: .now() + idleTimeout)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        close()
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        close()
        context.fireChannelInactive()
    }

    /// Ends all that goes on for a connection that is gone.
    private func close() {
        idleTimer?.cancel()
        early.removeAll()
        if case .streamed(let feed) = input { feed.fail(ChannelError.eof) }
        input = .malformed
        room?.fail(ChannelError.ioOnClosedChannel)
        room = nil
        isEnding.succeed()
        if case .none = answer {
            endedPromise.succeed()
        } else {
            task?.cancel()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            room?.succeed()
            room = nil
            takeEarlyParts()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is ChannelShouldQuiesceEvent else { return context.fireUserInboundEventTriggered(event) }
        isLast = true
        isEnding.succeed()
        if case (.none, .nothing) = (answer, input) { context.close(promise: nil) }
    }

    private func watchForIdleness(until deadline: NIODeadline) {
        let connection = NIOLoopBound(self, eventLoop: eventLoop)
        idleTimer = eventLoop.scheduleTask(deadline: deadline) { connection.value.closeWhenIdle() }
    }

    private func closeWhenIdle() {
        let now = NIODeadline.now()
        if case .none = answer {
            guard now < lastActive + idleTimeout else {
                context?.close(promise: nil)
                return
            }
            watchForIdleness(until: lastActive + idleTimeout)
        } else {
            watchForIdleness(until: now + idleTimeout)
        }
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActive = .now()
        let part = unwrapInboundIn(data)
        if early.isEmpty, isDue(part) {
            receive(part)
        } else {
            early.append(part)
        }
    }

    /// Whether it is a part's turn: a request begins when the one before is answered, and the client reads its answers.
    func isDue(_ part: HTTPServerRequestPart) -> Bool {
        guard case (.head, .nothing) = (part, input) else { return true }
        guard case .none = answer else { return false }
        return !isLast && context?.channel.isWritable ?? false
    }

    func read(context: ChannelHandlerContext) {
        if mayRead {
            context.read()
        } else {
            isReadDue = true
        }
    }

    private var mayRead: Bool { !isReaderBehind && early.count < Self.earlyParts }

    func readAgain() {
        guard isReadDue, mayRead else { return }
        isReadDue = false
        context?.read()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What follows upon malformed input is an error of its own, piece by piece.
        if error is ByteToMessageDecoderError { return }
        guard error is HTTPParserError else { return context.close(promise: nil) }
        isLast = true
        if case .streamed(let feed) = input { feed.fail(error) }
        input = .malformed
        if case .none = answer { refuseInput() }
    }

    func receive(_ part: HTTPServerRequestPart) {
        switch (input, part) {
        case (.nothing, .head(let head)):
            begin(head)
        case (.collected(let head, var body), .body(let bytes)):
            input = .nothing
            if body.readableBytes == 0 {
                body = bytes
            } else {
                body.writeImmutableBuffer(bytes)
            }
            input = .collected(head, body)
        case (.collected(let head, let body), .end):
            input = .nothing
            start(head, RequestBody(buffer: body))
        case (.streamed(let feed), .body(let bytes)):
            isReaderBehind = !feed.yield(bytes)
        case (.streamed(let feed), .end):
            input = .nothing
            feed.finish()
        case (.skipped, .end):
            input = .nothing
            continueAfterTurn()
        default: break
        }
    }

    private func begin(_ head: HTTPRequestHead) {
        // Who waits to be told sends the body only then (RFC 9110 §10.1.1).
        if head.version == .http1_1, head.headers.first(name: "Expect")?.lowercased() == "100-continue" {
            let proceed = HTTPResponseHead(version: .http1_1, status: .continue)
            context?.writeAndFlush(wrapOutboundOut(.head(proceed)), promise: nil)
        }
        let length = head.headers.first(name: "Content-Length").flatMap { Int($0) }
        let isLong = length.map { $0 > Self.collectedBody } ?? head.headers.contains(name: "Transfer-Encoding")
        guard isLong else {
            input = .collected(head, ByteBuffer())
            return
        }
        let connection = NIOLoopBound(self, eventLoop: eventLoop)
        let feed = RequestFeed { [eventLoop] in
            eventLoop.execute {
                connection.value.isReaderBehind = false
                connection.value.readAgain()
            }
        }
        input = .streamed(feed)
        start(head, feed.body)
    }

    private func start(_ head: HTTPRequestHead, _ body: RequestBody) {
        guard let channel = context?.channel else { return }
        if !head.isKeepAlive { isLast = true }
        guard let request = Request(head, body) else { return refuseInput() }
        answer = .due(head.version)
        let requestContext = ServerRequestContext(channel: channel, isEnding: isEnding.futureResult)
        let writer = AnswerWriter(self, on: eventLoop)
        task = executor.startAtOnce { [responder, logger] in
            do {
                try await writer.send(responder(request, requestContext))
            } catch {
                // A client that has gone misses nothing.
                guard !Task.isCancelled, !(error is ChannelError) else { return }
                logger.warning(
                    "an answer broke off",
                    metadata: ["method": "\(request.method)", "path": "\(request.uri.path)", "error": "\(error)"])
            }
        }
    }
}
