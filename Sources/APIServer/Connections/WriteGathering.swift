package import NIOCore

/// Puts what is written between two flushes together, so that an answer's head, body and framing become one record of TLS.
///
/// Each record costs an encryption here and a read at the client, which for an event of a watch is more than its bytes do.
package final class WriteGathering: ChannelOutboundHandler {
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// Bytes from which on nothing more is put together: a record holds 16 KiB, and the bytes are copied.
    package static let limit = 16 << 10

    private var gathered: ByteBuffer?

    package init() {}

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var bytes = unwrapOutboundIn(data)
        // Who waits for a write of its own gets one.
        guard promise == nil, bytes.readableBytes < Self.limit else {
            pass(context)
            context.write(wrapOutboundOut(bytes), promise: promise)
            return
        }
        if var head = gathered {
            // The only reference, so that the bytes are appended in place.
            gathered = nil
            head.writeBuffer(&bytes)
            gathered = head
            if head.readableBytes >= Self.limit { pass(context) }
        } else if bytes.readableBytes > 0 {
            gathered = bytes
        }
    }

    package func flush(context: ChannelHandlerContext) {
        pass(context)
        context.flush()
    }

    package func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode != .input { pass(context) }
        context.close(mode: mode, promise: promise)
    }

    private func pass(_ context: ChannelHandlerContext) {
        guard let bytes = gathered else { return }
        gathered = nil
        context.write(wrapOutboundOut(bytes), promise: nil)
    }
}
