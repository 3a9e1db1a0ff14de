package import NIOCore

/// Answers an HTTP/2 server's PING frames before the HTTP/2 handler sees them.
///
/// containerd's gRPC server measures the connection by a PING for each piece of data it receives, so one for each call.
/// The HTTP/2 handler takes more than 200 of them in half a minute for an attack, closes the connection and fails all
/// calls under way, which is what ten pods that start at once would meet. The runtime of the node is no stranger: its
/// PINGs are answered and not counted.
///
/// Frames: RFC 9113 §4.1; PING: §6.7. Everything but a PING that asks for an answer passes unchanged.
package final class PingResponder: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private static let headerLength = 9
    private static let ping: UInt8 = 6
    private static let acknowledged: UInt8 = 1
    private static let pingLength = 8

    /// The beginning of a frame of which it is not known yet whether it is a PING.
    private var held: ByteBuffer?
    /// Bytes of the frame under way that are still to come and to be passed on.
    private var remaining = 0

    package init() {}

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var input = unwrapInboundIn(data)
        if var joined = held {
            joined.writeBuffer(&input)
            (input, held) = (joined, nil)
        }
        var passed = 0
        while passed < input.readableBytes {
            let start = input.readerIndex + passed
            let available = input.readableBytes - passed
            if remaining > 0 {
                let count = min(remaining, available)
                remaining -= count
                passed += count
            } else if let frame = Self.frame(input, at: start), !frame.isPing || available >= frame.length {
                guard frame.isPing else {
                    remaining = frame.length
                    continue
                }
                pass(passed, of: &input, context)
                answer(frame.length, of: &input, context)
                passed = 0
            } else {
                break
            }
        }
        pass(passed, of: &input, context)
        if input.readableBytes > 0 { held = input }
    }

    private static func frame(_ input: ByteBuffer, at index: Int) -> (length: Int, isPing: Bool)? {
        guard let high = input.getInteger(at: index, as: UInt8.self),
            let low = input.getInteger(at: index + 1, as: UInt16.self),
            let type = input.getInteger(at: index + 3, as: UInt8.self),
            let flags = input.getInteger(at: index + 4, as: UInt8.self),
            index + headerLength <= input.writerIndex
        else { return nil }
        let payload = Int(high) << 16 | Int(low)
        return (headerLength + payload, type == ping && flags & acknowledged == 0 && payload == pingLength)
    }

    private func pass(_ count: Int, of input: inout ByteBuffer, _ context: ChannelHandlerContext) {
        guard count > 0, let part = input.readSlice(length: count) else { return }
        context.fireChannelRead(wrapInboundOut(part))
    }

    private func answer(_ length: Int, of input: inout ByteBuffer, _ context: ChannelHandlerContext) {
        guard var answer = input.readSlice(length: length) else { return }
        answer.setInteger(Self.acknowledged, at: answer.readerIndex + 4)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
    }
}
