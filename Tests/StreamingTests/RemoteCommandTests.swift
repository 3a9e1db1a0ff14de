import JSON
import NIOCore
import Streaming
import TestSupport
import Testing

@Suite("A command's channels in SPDY")
struct RemoteCommandTests {
    typealias Streams = RemoteCommandTranslation.Streams

    /// SYN_REPLY for a stream.
    static func reply(_ stream: UInt8) -> [UInt8] { [0x80, 3, 0, 2, 0, 0, 0, 4, 0, 0, 0, stream] }

    /// DATA of a stream.
    static func data(_ stream: UInt8, _ bytes: [UInt8], isLast: Bool = false) -> [UInt8] {
        [0, 0, 0, stream, isLast ? 1 : 0, 0, 0, UInt8(bytes.count)] + bytes
    }

    /// A session whose streams the peer has accepted.
    static func opened(_ streams: Streams, endsChannels: Bool = true) throws -> RemoteCommandTranslation {
        var session = RemoteCommandTranslation(streams, endsChannels: endsChannels)
        _ = session.opening()
        for stream in stride(from: UInt8(1), through: 9, by: 2) {
            _ = try session.sent(ByteBuffer(bytes: reply(stream)))
        }
        return session
    }

    @Test("A command is over with its status, even if its input is never read")
    func completion() throws {
        var session = try Self.opened(Streams(stdin: true, stdout: true))
        _ = try session.sent(ByteBuffer(bytes: Self.data(5, Array("out".utf8))))
        #expect(!session.isComplete)
        let status = Array(#"{"status":"Success"}"#.utf8)
        let first = try session.sent(ByteBuffer(bytes: Self.data(1, Array(status.prefix(7)))))
        #expect(first.messages == [ByteBuffer(bytes: [3] + status.prefix(7))])
        #expect(!session.isComplete, "The status may come in parts")
        _ = try session.sent(ByteBuffer(bytes: Self.data(1, Array(status.dropFirst(7)))))
        #expect(session.isComplete)
        #expect(session.ended().isEmpty)
    }

    @Test("What cannot be read as it is comes as text in Base64, each message of its own")
    func base64() {
        var translation = Base64Translation()
        #expect(translation.writesText)
        #expect(translation.sent(ByteBuffer()).messages == [ByteBuffer()])
        #expect(translation.sent(ByteBuffer(bytes: [0xFF])).messages == [ByteBuffer(string: "/w==")])
        #expect(translation.sent(ByteBuffer(string: "log")).messages == [ByteBuffer(string: "bG9n")])
        #expect(translation.received(ByteBuffer(string: "x"), startsMessage: true) == ByteBuffer())
        #expect(!PlainTranslation().writesText)
    }

    @Test(
        "The streams that are asked for are opened, the status first; a terminal has no error output",
        arguments: [
            (Streams(stdin: true, stdout: true, stderr: true), ["error", "stdin", "stdout", "stderr"]),
            (Streams(stdin: true, stdout: true, stderr: true, tty: true), ["error", "stdin", "stdout", "resize"]),
            (Streams(stdout: true), ["error", "stdout"]),
        ])
    func opening(streams: Streams, names: [String]) throws {
        var session = RemoteCommandTranslation(streams, endsChannels: true)
        let text = String(buffer: session.opening())
        let found = ["error", "stdin", "stdout", "stderr", "resize"].filter(text.contains)
        #expect(Set(found) == Set(names))
        #expect(!session.acceptsInput)
        var messages: [ByteBuffer] = []
        for index in names.indices {
            #expect(messages.isEmpty)
            messages = try session.sent(ByteBuffer(bytes: Self.reply(UInt8(index * 2 + 1)))).messages
        }
        #expect(session.acceptsInput)
        #expect(messages == [ByteBuffer(bytes: [1])])
    }

    @Test("Input goes to its stream, in fragments too, and ends with version 5 only", arguments: [true, false])
    func input(endsChannels: Bool) throws {
        var session = try Self.opened(Streams(stdin: true, stdout: true), endsChannels: endsChannels)
        func receive(_ bytes: [UInt8], startsMessage: Bool = true) -> [UInt8] {
            Array(session.received(ByteBuffer(bytes: bytes), startsMessage: startsMessage).readableBytesView)
        }
        #expect(receive([0, 104, 105]) == Self.data(3, [104, 105]))
        #expect(receive([33], startsMessage: false) == Self.data(3, [33]))
        #expect(receive([]) == [])
        #expect(receive([1, 2, 3]) == [], "output is not the client's to write")
        #expect(receive([255, 1]) == [])
        #expect(receive([255, 0]) == (endsChannels ? Self.data(3, [], isLast: true) : []))
        #expect(receive([0, 1]) == (endsChannels ? [] : Self.data(3, [1])), "what is ended stays ended")
    }

    @Test("Output comes on the channels of its streams; pings are answered")
    func output() throws {
        var session = try Self.opened(Streams(stdout: true, stderr: true))
        let bytes =
            Self.data(3, [1, 2]) + Self.data(5, [3]) + [0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 2]
            + Self.data(1, [123, 125])
            + Self.data(3, [], isLast: true)
        let result = try session.sent(ByteBuffer(bytes: bytes))
        #expect(result.messages == [[1, 1, 2], [2, 3], [3, 123, 125]].map { ByteBuffer(bytes: $0) })
        #expect(Array(result.reply.readableBytesView) == [0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 2])
        #expect(session.ended().isEmpty, "the command has told its status")
    }

    @Test("A command that never told its status has failed")
    func lost() throws {
        var session = try Self.opened(Streams(stdout: true))
        var message = try #require(session.ended().first)
        #expect(message.readInteger(as: UInt8.self) == 3)
        let status = try JSONValue(parsing: Array(message.readableBytesView))
        #expect(status["status"]?.string == "Failure")
        #expect(status["reason"]?.string == "InternalError")
        #expect(session.ended().isEmpty)
    }

    @Test("A stream that the peer refuses is an error")
    func refused() {
        var session = RemoteCommandTranslation(Streams(stdout: true), endsChannels: true)
        let reset: [UInt8] = [0x80, 3, 0, 3, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 5]
        #expect(throws: SPDYError.refused(3)) { try session.sent(ByteBuffer(bytes: reset)) }
    }

    @Test("Input of any shape yields whole frames of streams that exist")
    func fuzz() throws {
        var generator = SeededGenerator(seed: .random(in: 0 ... .max))
        var session = try Self.opened(Streams(stdin: true, stdout: true, tty: true))
        for round in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                [0, 1, 2, 3, 4, 255, UInt8.random(in: 0...255, using: &generator)].randomElement(using: &generator) ?? 0
            }
            var decoder = SPDYDecoder()
            decoder.append(session.received(ByteBuffer(bytes: bytes), startsMessage: .random(using: &generator)))
            while let event = try decoder.next() {
                guard case .data(let stream, _, _) = event, stream == 3 || stream == 7 else {
                    Issue.record("\(event) in round \(round) of seed \(generator.seed)")
                    return
                }
            }
        }
    }
}
