import Foundation
package import NIOCore
package import NIOHTTP1
import NIOPosix
package import NIOSSL

/// A request that asks a server to speak another protocol on the same connection (RFC 9110 §7.8).
package struct UpgradeRequest: Sendable {
    /// Method.
    package var method: HTTPMethod
    /// Host name or address, without brackets.
    package var host: String
    /// Port.
    package var port: Int
    /// Path and query.
    package var target: String
    /// Headers besides `Host` and `Connection`; must have `Upgrade`.
    package var headers: HTTPHeaders
    /// How the server is authenticated; nil for plain text.
    package var tls: NIOSSLContext?

    /// How long a connection and the answer may take.
    private static let limit = TimeAmount.seconds(30)

    /// Describes a request.
    package init(
        _ method: HTTPMethod, host: String, port: Int, target: String, headers: HTTPHeaders, tls: NIOSSLContext? = nil
    ) {
        self.method = method
        self.host = host
        self.port = port
        self.target = target
        self.headers = headers
        self.tls = tls
    }

    /// What the server made of it.
    package enum Outcome: Sendable {
        /// The connection speaks the other protocol; nothing is read before it is relayed.
        case upgraded(any Channel, HTTPHeaders)
        /// The server answered instead.
        case refused(HTTPResponseHead, ByteBuffer)
    }

    /// Sends the request on a new connection of the client's event loop, which ends with the client's.
    package func send(for client: any Channel) async throws(UpgradeError) -> Outcome {
        let outcome = client.eventLoop.makePromise(of: Outcome.self)
        let bootstrap = ClientBootstrap(group: client.eventLoop)
            .connectTimeout(.seconds(10))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try addHandlers(to: channel, outcome) }
            }
        do {
            let channel = try await bootstrap.connect(host: host, port: port).get()
            client.closeFuture.whenComplete { _ in channel.close(promise: nil) }
            let timer = channel.eventLoop.scheduleTask(in: Self.limit) {
                outcome.fail(ChannelError.connectTimeout(Self.limit))
                channel.close(promise: nil)
            }
            defer { timer.cancel() }
            return try await outcome.futureResult.get()
        } catch {
            outcome.fail(error)
            throw UpgradeError(authority: authority, error)
        }
    }

    private var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    private func addHandlers(to channel: any Channel, _ outcome: EventLoopPromise<Outcome>) throws {
        let pipeline = channel.pipeline.syncOperations
        if let tls {
            // Addresses are checked against the certificate by the socket's own address.
            let isAddress = (try? SocketAddress(ipAddress: host, port: port)) != nil
            try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: isAddress ? nil : host))
        }
        var headers = headers
        headers.replaceOrAdd(name: "Host", value: authority)
        headers.replaceOrAdd(name: "Connection", value: "Upgrade")
        if method == .POST {
            headers.replaceOrAdd(name: "Content-Length", value: "0")
        }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: headers)
        let encoder = HTTPRequestEncoder()
        let decoder = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .forwardBytes))
        try pipeline.addHandlers(encoder, decoder, UpgradeHandler(head, encoder, decoder, outcome))
    }
}

/// A server that could not be reached, or broke off before it answered.
package struct UpgradeError: Error, Sendable, CustomStringConvertible {
    /// What happened, in the words of Go's network package.
    package let description: String

    /// Describes what a connection to `authority` failed with.
    package init(authority: String, _ error: any Error) {
        let cause = (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
        switch cause {
        case let error as IOError:
            description = "dial tcp \(authority): connect: \(Self.text(error.errnoCode))"
        case ChannelError.connectTimeout:
            description = "dial tcp \(authority): i/o timeout"
        case ChannelError.eof:
            description = "\(authority): unexpected EOF"
        default:
            description = "\(authority): \(error)"
        }
    }

    private static func text(_ code: CInt) -> String {
        String(cString: strerror(code)).lowercased()
    }
}
