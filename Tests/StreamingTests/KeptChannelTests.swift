import HummingbirdCore
import Logging
import NIOCore
import NIOEmbedded
import Streaming
import Testing

@Suite("Connections that a stopping server drops")
struct KeptChannelTests {
    @Test("A connection that nobody handles is set up, opened and closed")
    func droppedConnection() throws {
        let channel = EmbeddedChannel()
        let connections = KeptChannel(HTTP1Channel { _, _, _ in })
        // Whoever was to handle it has gone: without a keeper the process ends here.
        _ = try connections.setup(channel: channel, logger: Logger(label: "test")).wait()
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 443)).wait()
        #expect(channel.isActive)
        _ = try channel.finish(acceptAlreadyClosed: true)
        #expect(!channel.isActive)
    }
}
