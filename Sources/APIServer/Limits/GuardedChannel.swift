import Foundation
import HummingbirdCore
import Logging
import NIOCore
import Streaming

/// Connections of HTTP/1.1 within limits.
struct GuardedChannel: ServerChildChannel {
    typealias Value = HTTP1Channel.Value

    private let base: KeptChannel<HTTP1Channel>
    private let limits: RequestLimits

    /// The server's side of HTTP/1.1 within limits.
    static func builder(_ limits: RequestLimits) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            let headers = HTTP1Channel.Configuration.DecoderConfiguration(
                maxHeaderFieldSize: limits.maximumHeaderBytes, maxHeaderListSize: limits.maximumHeaderBytes,
                maxHeaderFieldCount: limits.maximumHeaderFields)
            return Self(
                base: KeptChannel(
                    HTTP1Channel(
                        responder: responder,
                        configuration: HTTP1Channel.Configuration(
                            idleTimeout: .seconds(Int64(limits.idleTimeout)), httpDecoderConfiguration: headers))),
                limits: limits)
        }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        // A client that is gone without a word is noticed by the kernel, on an idle watch too.
        let options = channel.setOption(.socketOption(.so_keepalive), value: 1).flatMap {
            channel.setOption(.tcpOption(.init(rawValue: CInt(TCP_KEEPIDLE))), value: limits.stallTimeout)
        }
        return options.flatMap {
            // Nobody closes the sending side only over TLS, and amid a watch, which sends nothing for minutes, the HTTP
            // library would neither notice that the client has gone nor answer the end of its session.
            channel.setOption(.allowRemoteHalfClosure, value: false)
        }.flatMap {
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(PartingGuard(), position: .first)
                try channel.pipeline.syncOperations.addHandlers(WriteGathering(), ConnectionGuard(limits))
            }
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopTaskExecutor.of(value.channel.eventLoop)) {
            await base.handle(value: value, logger: logger)
        }
    }
}
