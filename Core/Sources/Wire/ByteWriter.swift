/// A growing buffer that integers are appended to in network order; `reset` keeps its memory for the next message.
@frozen
public struct ByteWriter: Sendable {
    @usableFromInline var buffer: [UInt8]

    /// Makes an empty writer with room for `capacity` bytes.
    @inlinable
    public init(capacity: Int = 0) {
        buffer = []
        buffer.reserveCapacity(capacity)
    }

    /// What has been written.
    @inlinable
    public var bytes: [UInt8] { buffer }

    /// The number of bytes written.
    @inlinable
    public var count: Int { buffer.count }

    /// Forgets what has been written.
    @inlinable
    public mutating func reset() { buffer.removeAll(keepingCapacity: true) }

    /// Forgets everything from `count` on.
    ///
    /// - Precondition: `count` is at most the present count.
    @inlinable
    public mutating func truncate(to count: Int) { buffer.removeSubrange(count...) }

    /// Appends an integer, most significant byte first.
    @inlinable
    public mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        for shift in stride(from: Value.bitWidth - 8, through: 0, by: -8) {
            buffer.append(UInt8(truncatingIfNeeded: value >> Value(shift)))
        }
    }

    /// Appends bytes as they are.
    @inlinable
    public mutating func append(contentsOf other: some Sequence<UInt8>) { buffer.append(contentsOf: other) }

    /// Appends bytes as they are.
    @inlinable
    public mutating func append(contentsOf other: RawSpan) {
        for position in other.byteOffsets { buffer.append(other[byte: position]) }
    }

    /// Overwrites two bytes that have been written, most significant first.
    ///
    /// - Precondition: `offset + 2` is at most the present count.
    @inlinable
    public mutating func overwrite(_ value: UInt16, at offset: Int) {
        buffer[offset] = UInt8(truncatingIfNeeded: value >> 8)
        buffer[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
