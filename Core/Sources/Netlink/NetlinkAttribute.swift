/// One attribute of a netlink message.
public struct NetlinkAttribute: Sendable {
    /// The number that says what the attribute holds, without the flags for nesting and byte order.
    public let type: Int
    /// Whether the sender marks the value as attributes; not all do.
    public let isNested: Bool
    /// The value.
    public let payload: ArraySlice<UInt8>

    /// NLA_F_NESTED of linux/netlink.h.
    static let nestedFlag: UInt16 = 1 << 15
    /// NLA_TYPE_MASK of linux/netlink.h.
    static let typeMask: UInt16 = 0x3fff

    /// The value as a number in the machine's byte order; zero when it is shorter than the number.
    @inlinable
    public func integer<Value: FixedWidthInteger>(as type: Value.Type = Value.self) -> Value {
        payload.integer(at: 0)
    }

    /// The value as a number in network byte order; zero when it is shorter than the number.
    @inlinable
    public func bigEndian<Value: FixedWidthInteger>(as type: Value.Type = Value.self) -> Value {
        Value(bigEndian: payload.integer(at: 0))
    }

    /// The value as text, without the terminating zero.
    public var string: String {
        String(decoding: payload.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The attributes that the value holds.
    public var attributes: NetlinkAttributes {
        NetlinkAttributes(payload)
    }
}

extension ArraySlice<UInt8> {
    /// The number `offset` bytes after the start, in the machine's byte order; zero when the slice is too short.
    @inlinable
    public func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type = Value.self) -> Value {
        let size = Value.bitWidth / 8
        guard offset >= 0, count >= offset + size else { return 0 }
        return unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: offset, as: Value.self) }
    }
}

/// The attributes of a message or of a nested attribute, in wire order; it ends at the first malformed one.
public struct NetlinkAttributes: Sequence, Sendable {
    private let bytes: ArraySlice<UInt8>

    /// Reads attributes from bytes.
    public init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
    }

    /// The first attribute of a type.
    public subscript(type: Int) -> NetlinkAttribute? {
        first { $0.type == type }
    }

    /// Walks the attributes.
    public struct Iterator: IteratorProtocol {
        var rest: ArraySlice<UInt8>

        /// The next attribute.
        public mutating func next() -> NetlinkAttribute? {
            guard rest.count >= 4 else { return nil }
            let length = Int(rest.integer(at: 0, as: UInt16.self))
            guard length >= 4, length <= rest.count else { return nil }
            let type = rest.integer(at: 2, as: UInt16.self)
            let payload = rest.dropFirst(4).prefix(length - 4)
            rest = rest.dropFirst((length + 3) & ~3)
            return NetlinkAttribute(
                type: Int(type & NetlinkAttribute.typeMask), isNested: type & NetlinkAttribute.nestedFlag != 0,
                payload: payload)
        }
    }

    /// Starts at the first attribute.
    public func makeIterator() -> Iterator {
        Iterator(rest: bytes)
    }
}
