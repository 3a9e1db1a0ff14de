package import NIOCore

/// Writes the frames of SPDY/3.1 that a client of container streams sends
/// (draft-mbelshe-httpbis-spdy-00 with the framing of version 3).
///
/// Header blocks are a few dozen bytes, so the zlib stream that SPDY prescribes for them consists of stored blocks and
/// uses no dictionary; every inflater reads that.
package struct SPDYEncoder: Sendable {
    private static let version: UInt16 = 0x8003
    /// The flag of a stream's last frame.
    static let fin: UInt8 = 1

    private var hasBegunHeaders = false

    /// Starts a connection.
    package init() {}

    /// Opens a stream.
    ///
    /// - Parameter headers: names in lower case; at most 65,535 bytes together.
    package mutating func open(_ stream: UInt32, _ headers: [(String, String)], into buffer: inout ByteBuffer) {
        var block = ByteBuffer()
        block.writeInteger(UInt32(headers.count))
        for (name, value) in headers {
            for text in [name, value] {
                block.writeInteger(UInt32(text.utf8.count))
                block.writeString(text)
            }
        }
        var compressed = ByteBuffer()
        if !hasBegunHeaders {
            // Deflate with a window of 32 KiB, no dictionary (RFC 1950 §2.2).
            compressed.writeBytes([0x78, 0x01])
            hasBegunHeaders = true
        }
        Self.store(block, into: &compressed)
        // An empty block ends it, as zlib's flush does: some inflaters hand out nothing before.
        Self.store(ByteBuffer(), into: &compressed)

        Self.control(type: 1, length: 10 + compressed.readableBytes, into: &buffer)
        buffer.writeInteger(stream)
        // No associated stream, the highest priority, no slot.
        buffer.writeInteger(UInt32(0))
        buffer.writeInteger(UInt16(0))
        buffer.writeBuffer(&compressed)
    }

    /// Sends bytes on a stream; without bytes, ends it.
    package static func data(_ stream: UInt32, _ bytes: ByteBuffer?, into buffer: inout ByteBuffer) {
        let length = UInt32(bytes?.readableBytes ?? 0)
        buffer.writeInteger(stream)
        buffer.writeInteger(bytes == nil ? UInt32(fin) << 24 : length)
        if let bytes {
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// Answers a ping.
    package static func ping(_ id: UInt32, into buffer: inout ByteBuffer) {
        control(type: 6, length: 4, into: &buffer)
        buffer.writeInteger(id)
    }

    /// Writes a stored block that is not the last one (RFC 1951 §3.2.4).
    private static func store(_ bytes: ByteBuffer, into buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(0))
        let length = UInt16(bytes.readableBytes)
        buffer.writeInteger(length, endianness: .little)
        buffer.writeInteger(~length, endianness: .little)
        buffer.writeImmutableBuffer(bytes)
    }

    private static func control(type: UInt16, length: Int, into buffer: inout ByteBuffer) {
        buffer.writeInteger(version)
        buffer.writeInteger(type)
        buffer.writeInteger(UInt32(length))
    }
}
