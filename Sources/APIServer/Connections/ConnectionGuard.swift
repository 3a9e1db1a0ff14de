import NIOCore

/// Closes connections whose client sends a request without end, or does not read the answer.
///
/// It looks at the bytes between TLS and HTTP, so that header, body and answer are held to the same rules, and only now and
/// then at the clock, so that a request costs nothing.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let requestTimeout: TimeAmount
    private let stallTimeout: TimeAmount
    /// When the first byte came that no answer has followed yet.
    private var waitingSince: NIODeadline?
    /// When the client's window became full.
    private var stalledSince: NIODeadline?
    /// True once the connection carries a stream of its own instead of requests.
    private var isUpgraded = false
    private var timer: RepeatedTask?

    init(_ limits: RequestLimits) {
        requestTimeout = .seconds(Int64(limits.requestTimeout))
        stallTimeout = .seconds(Int64(limits.stallTimeout))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let interval = TimeAmount.nanoseconds(min(requestTimeout, stallTimeout).nanoseconds / 4)
        let bound = NIOLoopBound((guard: self, context: context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            let (handler, context) = bound.value
            handler.check(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        timer = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if waitingSince == nil, !isUpgraded {
            waitingSince = .now()
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        waitingSince = nil
        let bytes = unwrapOutboundIn(data)
        if !isUpgraded, bytes.readableBytesView.starts(with: "HTTP/1.1 101".utf8) {
            isUpgraded = true
        }
        context.write(wrapOutboundOut(bytes), promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stalledSince = context.channel.isWritable ? nil : .now()
        context.fireChannelWritabilityChanged()
    }

    private func check(_ context: ChannelHandlerContext) {
        // Who looks at a command's output page by page may take the time for it.
        guard !isUpgraded else { return }
        let now = NIODeadline.now()
        if let waitingSince, now - waitingSince > requestTimeout {
            context.close(promise: nil)
        } else if let stalledSince, now - stalledSince > stallTimeout {
            context.close(promise: nil)
        }
    }
}
