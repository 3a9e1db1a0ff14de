extension RawSpan {
    /// The integer at `offset`, most significant byte first; traps outside the span.
    @inlinable
    public func load<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
        Value(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// The integer at `offset` of a span that is known to reach that far.
    @inlinable
    public func loadUnchecked<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type, at offset: Int
    ) -> Value {
        Value(bigEndian: unsafe unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: Value.self))
    }
}

extension MutableRawSpan {
    /// The integer at `offset`, most significant byte first; traps outside the span.
    @inlinable
    public func load<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
        Value(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// Writes an integer at `offset`, most significant byte first; traps outside the span.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
    }

    /// Moves `count` bytes to another place, which may overlap; traps outside the span.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func move(from source: Int, to target: Int, count: Int) {
        precondition(source >= 0 && target >= 0 && count >= 0, "bytes moved outside a span")
        precondition(max(source, target) + count <= byteCount, "bytes moved outside a span")
        unsafe withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            unsafe (base + target).copyMemory(from: base + source, byteCount: count)
        }
    }

    /// Copies bytes to `offset`; traps outside the span.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func store(_ bytes: RawSpan, at offset: Int) {
        precondition(offset >= 0 && offset + bytes.byteCount <= byteCount, "bytes copied outside a span")
        unsafe withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                guard let base = target.baseAddress, let from = source.baseAddress else { return }
                unsafe (base + offset).copyMemory(from: from, byteCount: source.count)
            }
        }
    }

    /// Writes zeros; traps outside the span.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func zero(from offset: Int, count: Int) {
        for position in offset..<(offset + count) { storeBytes(of: 0, toByteOffset: position, as: UInt8.self) }
    }
}
