internal import Addresses
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// A socket at which health is asked for over HTTP.
struct HealthListener: Sendable {
    /// The answer to a path; nil for one that does not exist.
    typealias Answers = @Sendable (_ path: String) -> HealthAnswer?

    private let channel: any Channel

    /// How long a client may take for its question.
    private static let patience = TimeAmount.seconds(5)

    /// Listens at an address and port; throws when another has them.
    init(_ address: IPAddress, port: UInt16, answers: @escaping Answers) async throws {
        var bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        if address.family == .ipv6 {
            // Each family has a socket of its own, and answers for itself.
            let isAlone = ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only)
            bootstrap = bootstrap.serverChannelOption(isAlone, value: 1)
        }
        channel =
            try await bootstrap
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(IdleStateHandler(readTimeout: Self.patience))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(HealthHandler(answers))
                }
            }
            .bind(host: "\(address)", port: Int(port)).get()
    }

    /// Ends listening.
    func close() async {
        try? await channel.close()
    }
}

/// Answers one request and closes the connection.
private final class HealthHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answers: HealthListener.Answers
    private var path = ""

    init(_ answers: @escaping HealthListener.Answers) {
        self.answers = answers
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): path = String(head.uri.prefix { $0 != "?" })
        case .body: break
        case .end: answer(context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { return context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ context: ChannelHandlerContext) {
        let answer = answers(path)
        let text = answer?.text ?? ""
        var headers = HTTPHeaders([("Connection", "close"), ("Content-Length", "\(text.utf8.count)")])
        if let answer {
            headers.add(name: "X-Content-Type-Options", value: "nosniff")
            for header in answer.headers { headers.add(name: header.name, value: header.value) }
        }
        let status: HTTPResponseStatus = answer.map { $0.isHealthy ? .ok : .serviceUnavailable } ?? .notFound
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        let closing = context.loopBound
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in closing.value.close(promise: nil) }
    }
}
