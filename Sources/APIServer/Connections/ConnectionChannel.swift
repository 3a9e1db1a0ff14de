import Foundation
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// Connections of HTTP/1.1 within limits.
struct ConnectionChannel: ServerChildChannel {
    /// A connection that has been set up, and serves itself for as long as somebody holds this.
    final class Value: ServerChildChannelValue {
        let channel: any Channel
        /// Succeeds once nothing is done for the connection any more.
        let ended: EventLoopFuture<Void>

        init(channel: any Channel, ended: EventLoopFuture<Void>) {
            self.channel = channel
            self.ended = ended
        }

        /// A server that is cancelled drops the connections that it has accepted and not looked at.
        deinit { close() }

        /// Ends the connection after what goes on, or soon.
        func close() {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
    }

    /// Answers a request.
    let responder: HTTPConnection.Responder
    let limits: RequestLimits

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        // A client that is gone without a word is noticed by the kernel, on an idle watch too.
        let options = channel.setOption(.socketOption(.so_keepalive), value: 1).flatMap {
            channel.setOption(.tcpOption(.init(rawValue: CInt(TCP_KEEPIDLE))), value: limits.stallTimeout)
        }
        return options.flatMap {
            // Nobody closes the sending side only over TLS, and amid a watch, which sends nothing for minutes, the end of
            // the client's session would be neither noticed nor answered.
            channel.setOption(.allowRemoteHalfClosure, value: false)
        }.flatMapThrowing { try addHandlers(to: channel, logger) }
    }

    private func addHandlers(to channel: any Channel, _ logger: Logger) throws -> Value {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(PartingGuard(), position: .first)
        try pipeline.addHandlers(WriteGathering(), ConnectionGuard(limits))
        var headers = NIOHTTPDecoderLimitConfiguration()
        headers.maxHeaderFieldSize = limits.maximumHeaderBytes
        headers.maxHeaderListSize = limits.maximumHeaderBytes
        headers.maxHeaderFieldCount = limits.maximumHeaderFields
        // Header names and values of answers are checked by their types.
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: .init(), withDecoderLimitConfiguration: headers)
        let connection = HTTPConnection(
            on: channel, idleTimeout: .seconds(Int64(limits.idleTimeout)), logger: logger, responder: responder)
        try pipeline.addHandler(connection)
        return Value(channel: channel, ended: connection.ended)
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            // It never fails.
            _ = try? await value.ended.get()
        } onCancel: {
            value.close()
        }
    }
}
