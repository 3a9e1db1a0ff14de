public import HummingbirdCore
public import Logging
public import NIOCore

/// Connections that may be dropped by a server that stops before it has looked at them.
///
/// NIO traps when the writing side of a connection is given up unfinished, which is what happens to a connection that is
/// accepted while its server is cancelled. This one is kept by its own pipeline until it is closed.
public struct KeptChannel<Base: ServerChildChannel>: ServerChildChannel {
    /// What the server handles.
    public typealias Value = Base.Value

    private let base: Base

    /// Keeps the connections that `base` sets up.
    public init(_ base: Base) {
        self.base = base
    }

    /// Sets the connection up, and keeps it.
    public func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        base.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try channel.pipeline.syncOperations.addHandler(Keeper(value))
            return value
        }
    }

    /// Serves the connection.
    public func handle(value: Value, logger: Logger) async {
        await base.handle(value: value, logger: logger)
    }
}

/// Holds what a connection is handled through, behind the handlers that finish it.
private final class Keeper<Value>: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    private var value: Value?

    init(_ value: Value) {
        self.value = value
    }

    func channelInactive(context: ChannelHandlerContext) {
        context.fireChannelInactive()
        value = nil
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        value = nil
    }
}
