import Addresses
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// The open connections of a client.
///
/// A connection whose other end vanished without a word is given up within half a minute, also when nothing is sent on it:
/// a watch would otherwise wait for news from nobody until its time is over.
final class ClientConnections: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    private static let options: [(level: NIOBSDSocket.OptionLevel, name: CInt, value: Int)] = [
        (.socket, SO_KEEPALIVE, 1), (.tcp, TCP_KEEPIDLE, 10), (.tcp, TCP_KEEPINTVL, 5), (.tcp, TCP_KEEPCNT, 4),
        // In milliseconds: how long what was sent may stay without an answer of the other end's kernel.
        (.tcp, CInt(TCP_USER_TIMEOUT), 20_000),
    ]

    /// Takes a connection that was made.
    func add(_ channel: any Channel) -> EventLoopFuture<Void> {
        let key = ObjectIdentifier(channel)
        channels.withLock { $0[key] = channel }
        channel.closeFuture.whenComplete { _ in self.channels.withLock { _ = $0.removeValue(forKey: key) } }
        let settings = Self.options.map { level, name, value in
            let option = ChannelOptions.Types.SocketOption(level: level, name: NIOBSDSocket.Option(rawValue: name))
            return channel.setOption(option, value: value)
        }
        return EventLoopFuture.andAllSucceed(settings, on: channel.eventLoop)
    }

    /// Ends connections at once, those of one of this machine's addresses or all.
    func abandon(from address: IPAddress? = nil) {
        for channel in channels.withLock({ Array($0.values) }) {
            if let address, channel.localAddress?.ipAddress.flatMap({ IPAddress($0) }) != address { continue }
            channel.eventLoop.execute {
                // Below TLS: its farewell would wait for an answer that does not come.
                let tls = try? channel.pipeline.syncOperations.context(handlerType: NIOSSLHandler.self)
                if let tls { tls.close(promise: nil) } else { channel.close(promise: nil) }
            }
        }
    }
}
