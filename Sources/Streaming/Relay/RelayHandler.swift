import NIOCore

/// One end of a relay: what its connection receives, the other end sends; each reads only while the other keeps up.
///
/// Both connections belong to one event loop. Handlers behind this one are cut off: they see nothing of the connection
/// any more, and what they write is refused.
final class RelayHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// Which end a connection is.
    enum Side {
        /// The one that asked. When it ends, so does everything.
        case client
        /// The one that was dialled. When it ends, what it sent still reaches the client.
        case backend
    }

    /// How long bytes on their way may take after the end of the side that they come from.
    private static let flushLimit = TimeAmount.seconds(10)
    /// How long the client may take to read the rest and close: a close by this side could discard what its kernel holds.
    private static let lingerLimit = TimeAmount.minutes(5)

    private let side: Side
    private var peer: RelayHandler?
    private var context: ChannelHandlerContext?
    private var lastWrite: EventLoopFuture<Void>?
    private var hasEnded = false
    /// True once the other end is gone: what still comes is read and dropped.
    private var isDraining = false

    init(_ side: Side) {
        self.side = side
    }

    /// Lets two ends, both in their pipelines, begin.
    static func start(_ first: RelayHandler, _ second: RelayHandler) {
        first.peer = second
        second.peer = first
        for end in [first, second] {
            if end.context?.channel.isActive ?? false {
                end.readMore()
            } else {
                end.inputEnded()
            }
        }
    }

    /// Sends bytes that come from no other end; what the client sends is dropped.
    func write(_ bytes: ByteBuffer) -> EventLoopFuture<Void>? {
        send(bytes)
        context?.flush()
        return lastWrite
    }

    /// Begins to read and drop what the client sends.
    func drain() {
        isDraining = true
        readMore()
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        peer = nil
    }

    // MARK: From the connection

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isDraining else { return }
        peer?.send(unwrapInboundIn(data))
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        peer?.context?.flush()
        readMore()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            peer?.readMore()
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            inputEnded()
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        inputEnded()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        inputEnded()
    }

    // MARK: From the handlers that are cut off

    func read(context: ChannelHandlerContext) {}

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        promise?.fail(ChannelError.ioOnClosedChannel)
    }

    func flush(context: ChannelHandlerContext) {}

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        peer?.closeAfterWrites()
        context.close(promise: promise)
    }

    // MARK: From the other end

    private func send(_ bytes: ByteBuffer) {
        guard let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        lastWrite = promise.futureResult
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    private func readMore() {
        guard isDraining || peer?.context?.channel.isWritable ?? false else { return }
        context?.read()
    }

    private func inputEnded() {
        guard !hasEnded else { return }
        hasEnded = true
        let peer = peer
        peer?.context?.flush()
        switch side {
        case .client:
            peer?.closeAfterWrites()
        case .backend:
            peer?.finish()
        }
        context?.close(promise: nil)
    }

    /// Closes the connection once what was written has left, or takes too long.
    private func closeAfterWrites() {
        guard let context else { return }
        hasEnded = true
        afterWrites(context, limit: Self.flushLimit) { $0.close(promise: nil) }
    }

    /// Ends the client's output after what was written, and leaves it to the client to close.
    ///
    /// - Parameter failure: What a WebSocket is told if that is not all there was to say.
    func finish(_ failure: WebSocketFailure? = nil) {
        guard let context else { return }
        isDraining = true
        if let failure { context.triggerUserOutboundEvent(failure, promise: nil) }
        afterWrites(context, limit: Self.lingerLimit) { $0.close(mode: .output, promise: nil) }
        readMore()
    }

    /// Performs the last act after the last write, and closes when the connection still stands after the limit.
    private func afterWrites(
        _ context: ChannelHandlerContext, limit: TimeAmount, _ body: @escaping (ChannelHandlerContext) -> Void
    ) {
        let loop = context.eventLoop
        let channel = context.channel
        let timer = loop.scheduleTask(in: limit) { channel.close(mode: .all, promise: nil) }
        channel.closeFuture.whenComplete { _ in timer.cancel() }
        let written = lastWrite ?? loop.makeSucceededVoidFuture()
        written.assumeIsolated().whenComplete { [weak self] _ in
            if let context = self?.context {
                body(context)
            }
        }
    }
}
