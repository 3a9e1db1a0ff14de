import JSON
import KubernetesAPI
package import NIOCore

/// Translates the channels of a command's WebSocket into streams of a SPDY/3.1 connection, and the reverse.
///
/// A message begins with the number of its channel: 0 input, 1 output, 2 errors, 3 the final status, 4 the terminal's
/// size. With `v5.channel.k8s.io` a message `255, n` ends channel n, which `v4.channel.k8s.io` cannot (KEP-4006).
package struct RemoteCommandTranslation: WebSocketTranslation {
    /// The protocols of a client, newest first, and whether a channel can be ended in them.
    package static let protocols: [(name: String, endsChannels: Bool)] = [
        ("v5.channel.k8s.io", true), ("v4.channel.k8s.io", false),
    ]

    /// The streams that a command has.
    package struct Streams: Sendable, Equatable {
        /// Input.
        package var stdin = false
        /// Output.
        package var stdout = false
        /// Error output; a terminal has none of its own.
        package var stderr = false
        /// A terminal, whose size can change.
        package var tty = false

        /// Describes a command with these streams.
        package init(stdin: Bool = false, stdout: Bool = false, stderr: Bool = false, tty: Bool = false) {
            self.stdin = stdin
            self.stdout = stdout
            self.stderr = stderr && !tty
            self.tty = tty
        }

        /// Channel and name of each stream, in the order in which they are opened.
        fileprivate var channels: [(number: UInt8, name: String)] {
            [
                (true, 3, "error"), (stdin, 0, "stdin"), (stdout, 1, "stdout"), (stderr, 2, "stderr"),
                (tty, 4, "resize"),
            ].filter { $0.0 }.map { ($0.1, $0.2) }
        }
    }

    private static let statusChannel: UInt8 = 3
    private static let endMarker: UInt8 = 255

    private let channels: [(number: UInt8, name: String)]
    private let endsChannels: Bool
    private var decoder = SPDYDecoder()
    private var pending: Set<UInt32>
    private var endedChannels: Set<UInt8> = []
    private var current: UInt8?
    private var status: [UInt8] = []
    /// A runtime sends the status behind all output, and may then wait for ever for somebody to read the command's input.
    package private(set) var isComplete = false

    /// Starts a session.
    package init(_ streams: Streams, endsChannels: Bool) {
        channels = streams.channels
        self.endsChannels = endsChannels
        pending = Set(channels.indices.map(Self.stream))
    }

    package mutating func opening() -> ByteBuffer {
        var encoder = SPDYEncoder()
        var buffer = ByteBuffer()
        for (index, channel) in channels.enumerated() {
            encoder.open(Self.stream(index), [("streamtype", channel.name)], into: &buffer)
        }
        return buffer
    }

    /// The peer drops what comes on a stream that it has not accepted yet.
    package var acceptsInput: Bool { pending.isEmpty }

    package mutating func received(_ payload: ByteBuffer, startsMessage: Bool) -> ByteBuffer {
        var payload = payload
        if startsMessage {
            current = payload.readInteger()
        }
        var bytes = ByteBuffer()
        if current == Self.endMarker, endsChannels {
            while let channel = payload.readInteger(as: UInt8.self) {
                end(channel, into: &bytes)
            }
        } else if let current, let stream = inputStream(current), payload.readableBytes > 0 {
            SPDYEncoder.data(stream, payload, into: &bytes)
        }
        return bytes
    }

    package mutating func sent(_ bytes: ByteBuffer) throws -> WebSocketTranslated {
        var result = WebSocketTranslated()
        decoder.append(bytes)
        while let event = try decoder.next() {
            switch event {
            case .accepted(let stream):
                if pending.remove(stream) != nil, pending.isEmpty {
                    // An empty message on the first channel of output tells the client that the command runs.
                    let first = [1, 2, 3].first { number in channels.contains { $0.number == number } }
                    result.messages.append(ByteBuffer(integer: first ?? Self.statusChannel))
                }
            case .data(let stream, let chunk, _):
                guard let channel = channel(of: stream), chunk.readableBytes > 0 else { continue }
                if channel == Self.statusChannel {
                    status += chunk.readableBytesView
                    isComplete = (try? JSONValue(parsing: status)) != nil
                }
                result.messages.append(Self.message(channel, chunk))
            case .reset(let stream, _):
                guard !pending.contains(stream) else { throw SPDYError.refused(stream) }
            case .ping(let id):
                SPDYEncoder.ping(id, into: &result.reply)
            case .goAway, .other:
                continue
            }
        }
        return result
    }

    /// A command without a status did not end by itself.
    package mutating func ended() -> [ByteBuffer] {
        guard status.isEmpty, !isComplete else { return [] }
        isComplete = true
        return [Self.failure("the connection to the container ended before the command did")]
    }

    /// The message that ends a command with an error of the server.
    package static func failure(_ cause: String) -> ByteBuffer {
        message(statusChannel, ByteBuffer(bytes: StatusError.internalError(cause).status.serialized()))
    }

    private mutating func end(_ channel: UInt8, into bytes: inout ByteBuffer) {
        guard let stream = inputStream(channel) else { return }
        endedChannels.insert(channel)
        SPDYEncoder.data(stream, nil, into: &bytes)
    }

    /// The stream of a channel on which the client may send now.
    private func inputStream(_ channel: UInt8) -> UInt32? {
        guard channel == 0 || channel == 4, !endedChannels.contains(channel) else { return nil }
        return channels.firstIndex { $0.number == channel }.map(Self.stream)
    }

    private func channel(of stream: UInt32) -> UInt8? {
        channels.indices.first { Self.stream($0) == stream }.map { channels[$0].number }
    }

    /// A client's streams have odd numbers.
    private static func stream(_ index: Int) -> UInt32 { UInt32(index) * 2 + 1 }

    private static func message(_ channel: UInt8, _ bytes: ByteBuffer) -> ByteBuffer {
        var message = ByteBuffer()
        message.reserveCapacity(1 + bytes.readableBytes)
        message.writeInteger(channel)
        message.writeImmutableBuffer(bytes)
        return message
    }
}
