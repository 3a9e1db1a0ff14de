import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOEmbedded
import Streaming
import Testing

@Suite("Messages to the client of a WebSocket")
struct WebSocketMessagesTests {
    private struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private struct Writer: ResponseBodyWriter {
        mutating func write(_ buffer: ByteBuffer) async throws {}
        consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
    }

    /// The bytes that the client gets.
    private func sent(_ body: @escaping @Sendable (WebSocketWriter) async throws -> Void) async throws -> [UInt8] {
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: "192.0.2.1", port: 443)).get()
        let response = await Response.messages([:], client: channel, body)
        #expect(response.status == .switchingProtocols)
        async let answered: Void = response.body.write(Writer())
        var bytes: [UInt8] = []
        // The last frame is the one that closes.
        while bytes.count < 2 || !bytes.contains(0x88) {
            bytes += Array(buffer: try await channel.waitForOutboundWrite(as: ByteBuffer.self))
        }
        while let rest = try await channel.readOutbound(as: ByteBuffer.self) { bytes += Array(buffer: rest) }
        // This channel closes as a whole when its output does.
        if channel.isActive { try await channel.close().get() }
        try await answered
        return bytes
    }

    @Test("They end with the code for a normal end")
    func success() async throws {
        let bytes = try await sent { try await $0.write(ByteBuffer(string: "log")) }
        #expect(bytes == [0x82, 3] + Array("log".utf8) + [0x88, 2, 0x03, 0xE8])
    }

    @Test("When their source fails the client is told so, and why, as far as there is room")
    func failure() async throws {
        let short = try await sent { writer in
            try await writer.write(ByteBuffer(string: "log"))
            throw Failure(description: "the node went")
        }
        #expect(short == [0x82, 3] + Array("log".utf8) + [0x88, 15, 0x03, 0xF3] + Array("the node went".utf8))
        let long = try await sent { _ in throw Failure(description: String(repeating: "é", count: 100)) }
        #expect(long == [0x88, 124, 0x03, 0xF3] + Array(String(repeating: "é", count: 61).utf8))
    }
}
