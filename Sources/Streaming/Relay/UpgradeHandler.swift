import NIOCore
import NIOHTTP1

/// Sends a request for an upgrade and reads the answer; after `101` it keeps what follows for the relay.
final class UpgradeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private enum State {
        case waiting
        case refused(HTTPResponseHead, ByteBuffer)
        case accepted(HTTPResponseHead)
        case upgraded
    }

    /// Bytes of a refusal's body that are kept.
    private static let bodyLimit = 64 << 10

    private let request: HTTPRequestHead
    private let encoder: HTTPRequestEncoder
    private let decoder: ByteToMessageHandler<HTTPResponseDecoder>
    private let outcome: EventLoopPromise<UpgradeRequest.Outcome>
    private var state = State.waiting
    private var early: [NIOAny] = []

    init(
        _ request: HTTPRequestHead, _ encoder: HTTPRequestEncoder,
        _ decoder: ByteToMessageHandler<HTTPResponseDecoder>, _ outcome: EventLoopPromise<UpgradeRequest.Outcome>
    ) {
        self.request = request
        self.encoder = encoder
        self.decoder = decoder
        self.outcome = outcome
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.head(request)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .upgraded = state {
            early.append(data)
            return
        }
        switch (state, unwrapInboundIn(data)) {
        case (.waiting, .head(let head)):
            state = head.status == .switchingProtocols ? .accepted(head) : .refused(head, ByteBuffer())
        case (.refused(let head, var body), .body(let chunk)):
            body.writeBytes(chunk.readableBytesView.prefix(Self.bodyLimit - body.readableBytes))
            state = .refused(head, body)
        case (.refused(let head, let body), .end):
            outcome.succeed(.refused(head, body))
            context.close(promise: nil)
        case (.accepted(let head), .end):
            upgrade(context, head)
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        outcome.fail(ChannelError.eof)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        outcome.fail(error)
        context.close(promise: nil)
    }

    /// Passes on what came after the answer, in order, to the handler behind this one.
    func release(_ context: ChannelHandlerContext) {
        for data in early {
            context.fireChannelRead(data)
        }
        if !early.isEmpty {
            context.fireChannelReadComplete()
        }
        early.removeAll()
    }

    private func upgrade(_ context: ChannelHandlerContext, _ head: HTTPResponseHead) {
        state = .upgraded
        let channel = context.channel
        let outcome = outcome
        do {
            try channel.syncOptions?.setOption(.autoRead, value: false)
        } catch {
            outcome.fail(error)
            return
        }
        let pipeline = context.pipeline.syncOperations
        pipeline.removeHandler(encoder).and(pipeline.removeHandler(decoder)).whenComplete { result in
            switch result {
            case .success: outcome.succeed(.upgraded(channel, head.headers))
            case .failure(let error): outcome.fail(error)
            }
        }
    }
}
