package import NIOCore

/// What a peer's SPDY/3.1 frames say, as far as a client of container streams cares.
package enum SPDYEvent: Sendable, Equatable {
    /// The peer has accepted a stream.
    case accepted(UInt32)
    /// Bytes of a stream; a frame's bytes come in pieces as they arrive.
    case data(UInt32, ByteBuffer, isLast: Bool)
    /// The peer has given a stream up, with a status.
    case reset(UInt32, UInt32)
    /// The peer wants the same ping back.
    case ping(UInt32)
    /// The peer opens no further streams.
    case goAway
    /// A frame without meaning for this client.
    case other(type: UInt16)
}

/// Bytes that are no SPDY/3.1.
package enum SPDYError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The peer speaks another version.
    case version(UInt16)
    /// A control frame is longer than any that is needed.
    case tooLong(Int)
    /// A control frame is too short for its type.
    case truncated(type: UInt16)
    /// The peer would not open a stream.
    case refused(UInt32)

    /// What is wrong.
    package var description: String {
        switch self {
        case .version(let number): "SPDY version \(number) instead of 3"
        case .tooLong(let length): "a SPDY control frame of \(length) bytes"
        case .truncated(let type): "a truncated SPDY control frame of type \(type)"
        case .refused(let stream): "stream \(stream) was refused"
        }
    }
}

/// Splits a peer's bytes into SPDY/3.1 frames; holds no more than one control frame and what was appended last.
package struct SPDYDecoder: Sendable {
    /// Longest control frame that is taken in, in bytes.
    package static let controlLimit = 64 << 10

    private var buffer = ByteBuffer()
    /// The data frame that is being read: its stream, the bytes still to come, and whether it ends the stream.
    private var frame: (stream: UInt32, remaining: Int, isLast: Bool)?

    /// Starts a connection.
    package init() {}

    /// Takes in bytes as they arrive.
    package mutating func append(_ bytes: ByteBuffer) {
        buffer.discardReadBytes()
        buffer.writeImmutableBuffer(bytes)
    }

    /// The next event; nil until more bytes arrive.
    package mutating func next() throws(SPDYError) -> SPDYEvent? {
        if let frame { return data(frame) }
        guard let word = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self),
            let second = buffer.getInteger(at: buffer.readerIndex + 4, as: UInt32.self)
        else { return nil }
        let flags = UInt8(second >> 24)
        let length = Int(second & 0xff_ffff)
        if word >> 31 == 0 {
            buffer.moveReaderIndex(forwardBy: 8)
            return data((word, length, flags & SPDYEncoder.fin != 0))
        }
        let version = UInt16(word >> 16 & 0x7fff)
        guard version == 3 else { throw .version(version) }
        guard length <= Self.controlLimit else { throw .tooLong(length) }
        guard buffer.readableBytes >= 8 + length else { return nil }
        buffer.moveReaderIndex(forwardBy: 8)
        guard var payload = buffer.readSlice(length: length) else { return nil }
        return try control(UInt16(word & 0xffff), flags, &payload)
    }

    private mutating func data(_ current: (stream: UInt32, remaining: Int, isLast: Bool)) -> SPDYEvent? {
        frame = current
        let count = min(current.remaining, buffer.readableBytes)
        guard count > 0 || current.remaining == 0, let chunk = buffer.readSlice(length: count) else { return nil }
        let remaining = current.remaining - count
        frame = remaining == 0 ? nil : (current.stream, remaining, current.isLast)
        return .data(current.stream, chunk, isLast: remaining == 0 && current.isLast)
    }

    private func control(
        _ type: UInt16, _ flags: UInt8, _ payload: inout ByteBuffer
    ) throws(SPDYError) -> SPDYEvent {
        func word() throws(SPDYError) -> UInt32 {
            guard let value = payload.readInteger(as: UInt32.self) else { throw .truncated(type: type) }
            return value
        }
        switch type {
        case 2: return .accepted(try word() & 0x7fff_ffff)
        case 3: return .reset(try word() & 0x7fff_ffff, try word())
        case 6: return .ping(try word())
        case 7: return .goAway
        default: return .other(type: type)
        }
    }
}
