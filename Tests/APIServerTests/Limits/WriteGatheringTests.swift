import APIServer
import NIOCore
import NIOEmbedded
import Testing

@Suite("What is written between two flushes leaves together")
struct WriteGatheringTests {
    private let channel = EmbeddedChannel(handler: WriteGathering())

    private func written() throws -> [String] {
        var result: [String] = []
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { result.append(String(buffer: bytes)) }
        return result
    }

    @Test("Small writes become one, in their order")
    func small() throws {
        channel.write(ByteBuffer(string: "5\r\n"), promise: nil)
        channel.write(ByteBuffer(string: "event"), promise: nil)
        channel.write(ByteBuffer(string: "\r\n"), promise: nil)
        #expect(try written().isEmpty, "Nothing leaves before a flush")
        channel.flush()
        #expect(try written() == ["5\r\nevent\r\n"])
        channel.writeAndFlush(ByteBuffer(string: "next"), promise: nil)
        #expect(try written() == ["next"])
        channel.flush()
        #expect(try written().isEmpty)
    }

    @Test("Large writes are not copied, and nothing overtakes another", arguments: [0, 1, 2])
    func large(position: Int) throws {
        var parts = ["a", "b", "c"]
        parts[position] = String(repeating: "x", count: WriteGathering.limit)
        for part in parts { channel.write(ByteBuffer(string: part), promise: nil) }
        channel.flush()
        let found = try written()
        #expect(found.joined() == parts.joined())
        #expect(found.contains(parts[position]))
    }

    @Test("What is gathered never exceeds a record by more than one write")
    func bounded() throws {
        let part = String(repeating: "y", count: 5_000)
        for _ in 0..<10 { channel.write(ByteBuffer(string: part), promise: nil) }
        channel.flush()
        let found = try written()
        #expect(found.joined().count == 50_000)
        #expect(found.allSatisfy { $0.count < WriteGathering.limit + 5_000 })
    }

    @Test("A write that someone waits for is told of when it is done, after those before it")
    func awaited() throws {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.write(ByteBuffer(string: "first"), promise: nil)
        channel.write(ByteBuffer(string: "second"), promise: promise)
        channel.flush()
        #expect(try written() == ["first", "second"])
        try promise.futureResult.wait()
    }

    @Test("What was written before the end of a connection comes before it", arguments: [CloseMode.all, .output])
    func end(mode: CloseMode) throws {
        let recorder = Recorder()
        let channel = EmbeddedChannel(handlers: [recorder, WriteGathering()])
        channel.write(ByteBuffer(string: "last"), promise: nil)
        channel.close(mode: mode, promise: nil)
        #expect(recorder.seen == ["last", "\(mode)"])
    }

    /// Notes what passes, like TLS, which sends what was written before it says goodbye.
    private final class Recorder: ChannelOutboundHandler {
        typealias OutboundIn = ByteBuffer
        var seen: [String] = []

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            seen.append(String(buffer: unwrapOutboundIn(data)))
            context.write(data, promise: promise)
        }

        func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
            seen.append("\(mode)")
            context.close(mode: mode, promise: promise)
        }
    }
}
