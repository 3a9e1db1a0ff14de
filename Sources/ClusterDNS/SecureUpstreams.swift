import Addresses
import DNSResolution
import DNSServing
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Asks other servers over TLS (RFC 7858); connections stay open for further questions.
final class SecureUpstreams: SecureTransport {
    private let group = MultiThreadedEventLoopGroup.singleton
    private let context: NIOSSLContext
    private let connections = Mutex<[Upstream: EventLoopFuture<any Channel>]>([:])

    /// How long a connection may be idle.
    private static let idleTime = TimeAmount.seconds(20)

    /// Trusts the certificate authorities of the machine.
    init() throws {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        context = try NIOSSLContext(configuration: configuration)
    }

    func send(_ message: [UInt8], to upstream: Upstream, completion: @escaping @Sendable ([UInt8]?) -> Void) {
        connection(to: upstream).whenComplete { result in
            switch result {
            case .success(let channel):
                channel.writeAndFlush(SecureQuery(message: message, completion: completion)).whenFailure { _ in
                    completion(nil)
                }
            case .failure: completion(nil)
            }
        }
    }

    private func connection(to upstream: Upstream) -> EventLoopFuture<any Channel> {
        connections.withLock { connections in
            if let open = connections[upstream] { return open }
            let context = context
            let future = ClientBootstrap(group: group)
                .connectTimeout(.seconds(3))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers([
                            NIOSSLClientHandler(context: context, serverHostname: upstream.tlsName),
                            IdleStateHandler(allTimeout: Self.idleTime), SecureQueryHandler(),
                        ])
                    }
                }
                .connect(host: "\(upstream.address)", port: Int(upstream.port))
            connections[upstream] = future
            future.whenComplete { result in
                switch result {
                case .success(let channel): channel.closeFuture.whenComplete { _ in self.forget(upstream, future) }
                case .failure: self.forget(upstream, future)
                }
            }
            return future
        }
    }

    private func forget(_ upstream: Upstream, _ future: EventLoopFuture<any Channel>) {
        connections.withLock { if $0[upstream] === future { $0[upstream] = nil } }
    }
}

/// A message that waits for its answer.
private struct SecureQuery: Sendable {
    let message: [UInt8]
    let completion: @Sendable ([UInt8]?) -> Void
}

/// Frames messages, and pairs answers with queries by their numbers, which it chooses anew on each connection.
private final class SecureQueryHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = SecureQuery
    typealias OutboundOut = ByteBuffer

    private var waiting: [UInt16: (id: [UInt8], completion: @Sendable ([UInt8]?) -> Void)] = [:]
    private var nextID = UInt16.random(in: .min ... .max)
    private var input: [UInt8] = []

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let query = unwrapOutboundIn(data)
        guard waiting.count < 1024, query.message.count >= 2 else {
            query.completion(nil)
            promise?.succeed()
            return
        }
        repeat { nextID &+= 1 } while waiting[nextID] != nil
        waiting[nextID] = (Array(query.message[..<2]), query.completion)
        var message = query.message
        message[0] = UInt8(nextID >> 8)
        message[1] = UInt8(nextID & 0xFF)
        context.write(wrapOutboundOut(ByteBuffer(bytes: MessageStream.framed(message))), promise: nil)
        promise?.succeed()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        input += unwrapInboundIn(data).readableBytesView
        while var message = MessageStream.takeMessage(&input) {
            guard message.count >= 2,
                let query = waiting.removeValue(forKey: UInt16(message[0]) << 8 | UInt16(message[1]))
            else { continue }
            message.replaceSubrange(..<2, with: query.id)
            query.completion(message)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        let queries = waiting.values
        waiting = [:]
        for query in queries { query.completion(nil) }
        context.fireChannelInactive()
    }
}
