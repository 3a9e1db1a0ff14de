import NIOCore
import NIOWebSocket

/// Carries a backend's bytes in a client's WebSocket (RFC 6455), by way of a translation.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = WebSocketFrame
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = WebSocketFrame

    /// Longest frame that a client may send, in bytes; a frame is held until it is complete.
    private static let frameLimit = 16 << 20

    private var translation: any WebSocketTranslation
    private var hasOpened = false
    private var wantsRead = false
    private var hasClosed = false
    private var failure: WebSocketFailure?

    /// The handlers of a WebSocket's server side; bytes of the backend go in and out behind the last one.
    static func handlers(_ translation: any WebSocketTranslation) -> [any ChannelHandler] {
        [
            WebSocketFrameEncoder(), ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: frameLimit)),
            WebSocketProtocolErrorHandler(isServer: true), WebSocketHandler(translation),
        ]
    }

    init(_ translation: any WebSocketTranslation) {
        self.translation = translation
    }

    // MARK: From the client

    func read(context: ChannelHandlerContext) {
        if !hasOpened {
            hasOpened = true
            pass(translation.opening(), context)
            context.fireChannelReadComplete()
        }
        if translation.acceptsInput {
            context.read()
        } else {
            wantsRead = true
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .binary, .text, .continuation:
            do {
                pass(
                    try translation.received(frame.unmaskedData, startsMessage: frame.opcode != .continuation), context)
            } catch {
                context.fireErrorCaught(error)
            }
        case .ping:
            context.writeAndFlush(
                wrapOutboundOut(WebSocketFrame(fin: true, opcode: .pong, data: frame.unmaskedData)), promise: nil)
        case .connectionClose:
            close(context, frame.unmaskedData)
            context.close(promise: nil)
        default: break
        }
    }

    // MARK: From the backend

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !hasClosed else {
            promise?.succeed()
            return
        }
        do {
            let translated = try translation.sent(unwrapOutboundIn(data))
            write(translated.messages, context, promise)
            if translation.isComplete {
                // The client closes in answer, and with its connection the backend's is closed.
                close(context: context, mode: .output, promise: nil)
                return
            }
            if translated.reply.readableBytes > 0 {
                pass(translated.reply, context)
                context.fireChannelReadComplete()
            }
            if wantsRead, translation.acceptsInput {
                wantsRead = false
                context.read()
            }
        } catch {
            promise?.fail(error)
            context.fireErrorCaught(error)
        }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output {
            write(translation.ended(), context, nil)
            var payload = ByteBuffer()
            payload.write(webSocketErrorCode: failure == nil ? .normalClosure : .unexpectedServerError)
            payload.writeString(failure?.reason ?? "")
            close(context, payload)
        }
        context.close(mode: mode, promise: promise)
    }

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard let failure = event as? WebSocketFailure else {
            return context.triggerUserOutboundEvent(event, promise: promise)
        }
        self.failure = failure
        promise?.succeed()
    }

    private func pass(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        if bytes.readableBytes > 0 {
            context.fireChannelRead(wrapInboundOut(bytes))
        }
    }

    private func write(_ messages: [ByteBuffer], _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        guard let last = messages.last else {
            promise?.succeed()
            return
        }
        let opcode: WebSocketOpcode = translation.writesText ? .text : .binary
        for message in messages.dropLast() {
            context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: message)), promise: nil)
        }
        context.write(wrapOutboundOut(WebSocketFrame(fin: true, opcode: opcode, data: last)), promise: promise)
    }

    private func close(_ context: ChannelHandlerContext, _ payload: ByteBuffer) {
        guard !hasClosed else { return }
        hasClosed = true
        context.writeAndFlush(
            wrapOutboundOut(WebSocketFrame(fin: true, opcode: .connectionClose, data: payload)), promise: nil)
    }
}
