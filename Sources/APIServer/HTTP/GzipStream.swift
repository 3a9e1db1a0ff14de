import CZlib
import NIOCore

/// A stream of gzip (RFC 1952), compressed for speed; one task at a time uses it.
final class GzipStream: @unchecked Sendable {
    /// Bytes by which the output grows.
    private static let portion = 16 << 10

    /// zlib remembers the address.
    private let stream: UnsafeMutablePointer<z_stream>

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 16 more bits of the window stand for the header of gzip.
        let result = deflateInit2_(
            stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib cannot begin: \(result)")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Takes more input; returns the output that is due, which may be nothing.
    func compress(_ input: ByteBuffer) -> ByteBuffer { run(input, Z_NO_FLUSH) }

    /// Ends the stream; returns the rest of the output.
    func finish() -> ByteBuffer { run(ByteBuffer(), Z_FINISH) }

    private func run(_ input: ByteBuffer, _ flush: CInt) -> ByteBuffer {
        var output = ByteBuffer()
        input.withUnsafeReadableBytes { bytes in
            // zlib reads through the pointer and does not write.
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = CUnsignedInt(bytes.count)
            repeat {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.portion) { space in
                    stream.pointee.next_out = space.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = CUnsignedInt(space.count)
                    deflate(stream, flush)
                    return space.count - Int(stream.pointee.avail_out)
                }
            } while stream.pointee.avail_out == 0
        }
        return output
    }
}
