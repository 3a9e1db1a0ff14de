import Foundation
import NIOCore
import Streaming
import TestSupport
import Testing

@Suite("SPDY/3.1")
struct SPDYTests {
    @Test("Header blocks are what Python's zlib reads, with and without SPDY's dictionary")
    func headerBlocks() throws {
        var encoder = SPDYEncoder()
        var frames = ByteBuffer()
        let sent = [
            [("streamtype", "error")], [("streamtype", "stdin")],
            [("streamtype", "data"), ("port", "8080"), ("requestid", "0")],
        ]
        for (index, headers) in sent.enumerated() {
            encoder.open(UInt32(index * 2 + 1), headers, into: &frames)
        }
        // The judge splits the frames by the draft's layout and inflates the blocks as one zlib stream.
        let judge = """
            import struct, sys, zlib
            data = sys.stdin.buffer.read()
            inflater = zlib.decompressobj(zdict=b"\\0\\0\\0\\7options") if sys.argv[1] == "dictionary" else zlib.decompressobj()
            while data:
                version, kind, word = struct.unpack(">HHI", data[:8])
                assert (version, kind, word >> 24) == (0x8003, 1, 0)
                frame, data = data[8:8 + word], data[8 + word:]
                stream, associated, priority, slot = struct.unpack(">IIBB", frame[:10])
                block = inflater.decompress(frame[10:])
                assert frame.endswith(b"\\0\\0\\xff\\xff"), "not flushed"
                count, = struct.unpack(">I", block[:4])
                words, rest = [], block[4:]
                for _ in range(2 * count):
                    length, = struct.unpack(">I", rest[:4])
                    words.append(rest[4:4 + length].decode())
                    rest = rest[4 + length:]
                assert rest == b"" and (associated, priority, slot) == (0, 0, 0)
                print(stream, *words)
            """
        for mode in ["dictionary", "plain"] {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/python3")
            process.arguments = ["-c", judge, mode]
            let (input, output) = (Pipe(), Pipe())
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data(frames.readableBytesView))
            try input.fileHandleForWriting.close()
            let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            #expect(
                text == """
                    1 streamtype error
                    3 streamtype stdin
                    5 streamtype data port 8080 requestid 0

                    """)
        }
    }

    /// Frames of a peer, byte by byte, and what they mean.
    static let frames: [([UInt8], SPDYEvent)] = [
        // SYN_REPLY: version 3, type 2, no flags, four bytes and a header block; stream 1.
        ([0x80, 3, 0, 2, 0, 0, 0, 6, 0, 0, 0, 1, 0xaa, 0xbb], .accepted(1)),
        // RST_STREAM of stream 3, status 5.
        ([0x80, 3, 0, 3, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 5], .reset(3, 5)),
        // SETTINGS without entries.
        ([0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0], .other(type: 4)),
        // PING 2.
        ([0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 2], .ping(2)),
        // GOAWAY: last stream 0, status 0.
        ([0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0], .goAway),
        // DATA of stream 5: three bytes.
        ([0, 0, 0, 5, 0, 0, 0, 3, 1, 2, 3], .data(5, ByteBuffer(bytes: [1, 2, 3]), isLast: false)),
        // DATA of stream 5: the end.
        ([0, 0, 0, 5, 1, 0, 0, 0], .data(5, ByteBuffer(), isLast: true)),
    ]

    @Test("Frames are read however their bytes are cut", arguments: 1...16)
    func cuts(size: Int) throws {
        let all = Self.frames.flatMap(\.0)
        var decoder = SPDYDecoder()
        var events: [SPDYEvent] = []
        for start in stride(from: 0, to: all.count, by: size) {
            decoder.append(ByteBuffer(bytes: all[start..<min(start + size, all.count)]))
            while let event = try decoder.next() {
                // Pieces of one frame are put together again.
                if case .data(let stream, let chunk, let isLast) = event, !isLast || chunk.readableBytes > 0,
                    case .data(stream, var before, isLast: false) = events.last
                {
                    before.writeImmutableBuffer(chunk)
                    events[events.count - 1] = .data(stream, before, isLast: isLast)
                } else {
                    events.append(event)
                }
            }
        }
        #expect(events == Self.frames.map(\.1))
    }

    @Test(
        "What is no SPDY/3.1 is refused",
        arguments: [
            ([0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 2], SPDYError.version(2)),
            ([0x80, 3, 0, 2, 0, 1, 0, 1], .tooLong(65537)),
            ([0x80, 3, 0, 2, 0, 0, 0, 2, 0, 0], .truncated(type: 2)),
            ([0x80, 3, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1], .truncated(type: 3)),
        ] as [([UInt8], SPDYError)])
    func refusals(bytes: [UInt8], error: SPDYError) {
        var decoder = SPDYDecoder()
        decoder.append(ByteBuffer(bytes: bytes))
        #expect(throws: error) { try decoder.next() }
    }

    @Test("Whatever arrives, the decoder returns all data of a frame or an error, and nothing else")
    func fuzz() {
        var generator = SeededGenerator(seed: .random(in: 0 ... .max))
        for round in 0..<2_000 {
            var bytes = Self.frames.shuffled(using: &generator).flatMap(\.0)
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            var decoder = SPDYDecoder()
            var total = 0
            var rest = bytes[...]
            while !rest.isEmpty {
                let size = min(rest.count, Int.random(in: 1...20, using: &generator))
                decoder.append(ByteBuffer(bytes: rest.prefix(size)))
                rest = rest.dropFirst(size)
                do {
                    while let event = try decoder.next() {
                        if case .data(_, let chunk, _) = event { total += chunk.readableBytes }
                    }
                } catch {
                    rest = []
                }
            }
            #expect(total <= bytes.count, "round \(round) of seed \(generator.seed)")
        }
    }
}
