/// Bytes that end before the value that is read from them.
@frozen
public struct EndOfBytes: Error, Hashable, Sendable {
    /// The position at which the value would have started.
    public let offset: Int

    /// Makes an error.
    @inlinable
    public init(offset: Int) { self.offset = offset }
}

/// A cursor that reads integers in network order, and runs of bytes, from memory that it does not own.
@frozen
public struct ByteReader: ~Escapable {
    /// All bytes, those already read included.
    public let bytes: RawSpan
    @usableFromInline var position: Int

    /// Makes a reader at the first byte.
    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: Span<UInt8>) {
        self.bytes = unsafe bytes.bytes
        position = 0
    }

    /// The position of the next byte, at most `bytes.byteCount`.
    @inlinable
    public var offset: Int { position }

    /// The number of bytes not yet read.
    @inlinable
    public var remaining: Int { bytes.byteCount - offset }

    /// Reads an integer of the given type, most significant byte first.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type
    ) throws(EndOfBytes) -> Value {
        let size = MemoryLayout<Value>.size
        guard remaining >= size else { throw EndOfBytes(offset: offset) }
        let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self)
        position += size
        return Value(bigEndian: value)
    }

    /// Reads the next `count` bytes without copying them.
    @inlinable
    @_lifetime(copy self)
    public mutating func readBytes(_ count: Int) throws(EndOfBytes) -> RawSpan {
        guard count >= 0, remaining >= count else { throw EndOfBytes(offset: offset) }
        let run = bytes.extracting(offset..<(offset + count))
        position += count
        return run
    }

    /// Moves to a position inside the bytes, or to their end.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func move(to position: Int) throws(EndOfBytes) {
        guard position >= 0, position <= bytes.byteCount else { throw EndOfBytes(offset: position) }
        self.position = position
    }
}

extension RawSpan {
    /// The byte at a position; traps outside the span.
    @inlinable
    public subscript(byte position: Int) -> UInt8 {
        unsafe unsafeLoad(fromByteOffset: position, as: UInt8.self)
    }
}
