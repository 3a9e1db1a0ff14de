import NIOCore
import NIOEmbedded
import PodRuntime
import Testing

@Suite struct PingResponderTests {
    private static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt8 = 0, _ payload: [UInt8]) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 255), type, flags, 0, 0, 0, stream] + payload
    }

    private static func ping(_ number: UInt8, flags: UInt8 = 0) -> [UInt8] {
        frame(6, flags: flags, [number, 2, 3, 4, 5, 6, 7, 8])
    }

    private static let settings = frame(4, [0, 3, 0, 0, 0, 100])
    private static let data = frame(0, flags: 1, stream: 1, [UInt8](repeating: 6, count: 300))
    /// What the server sends: PINGs between other frames, an answer to a PING, an empty frame and a PING of the wrong length.
    private static let sent = [
        settings, ping(1), frame(0, stream: 1, []), data, ping(2), ping(3), ping(9, flags: 1), frame(6, [1, 2, 3]),
        data, ping(4), ping(5),
    ].flatMap(\.self)
    private static let passed = [
        settings, frame(0, stream: 1, []), data, ping(9, flags: 1), frame(6, [1, 2, 3]), data,
    ].flatMap(\.self)
    private static let answers = (1...5).flatMap { ping($0, flags: 1) }

    /// Sends pieces and returns what came through and what was answered.
    private static func exchange(_ pieces: [ArraySlice<UInt8>]) throws -> (passed: [UInt8], answers: [UInt8]) {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(PingResponder(), position: .first)
        for piece in pieces { try channel.writeInbound(ByteBuffer(bytes: piece)) }
        var passed: [UInt8] = []
        while let part = try channel.readInbound(as: ByteBuffer.self) { passed += part.readableBytesView }
        var answers: [UInt8] = []
        while let part = try channel.readOutbound(as: ByteBuffer.self) { answers += part.readableBytesView }
        _ = try channel.finish()
        return (passed, answers)
    }

    @Test func `pings are answered and everything else passes`() throws {
        let result = try Self.exchange([Self.sent[...]])
        #expect(result.passed == Self.passed)
        #expect(result.answers == Self.answers)
    }

    @Test func `frames may arrive cut anywhere`() throws {
        for cut in 0...Self.sent.count {
            let result = try Self.exchange([Self.sent[..<cut], Self.sent[cut...]])
            #expect(result.passed == Self.passed, "cut at \(cut)")
            #expect(result.answers == Self.answers, "cut at \(cut)")
        }
        let single = try Self.exchange(Self.sent.indices.map { Self.sent[$0...$0] })
        #expect(single.passed == Self.passed)
        #expect(single.answers == Self.answers)
    }

    @Test func `pings without end are answered`() throws {
        let result = try Self.exchange((0..<10_000).map { _ in Self.ping(1)[...] })
        #expect(result.passed.isEmpty)
        #expect(result.answers.count == 10_000 * Self.ping(1).count)
    }
}
