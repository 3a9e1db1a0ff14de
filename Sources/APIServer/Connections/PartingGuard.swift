import NIOCore

/// Closes a connection soon after the server has begun to stop, even when its client does not answer the end of its TLS session.
///
/// It stands before TLS, which itself would wait for seconds.
final class PartingGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// How long a request that is under way may take to be answered.
    private static let patience = TimeAmount.milliseconds(500)

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: Self.patience) { bound.value.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }
}
