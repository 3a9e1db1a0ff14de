/// Builds the payload of a netlink message: a fixed header, then attributes, each padded to four bytes.
public struct NetlinkWriter: Sendable, Hashable {
    /// What was written so far.
    public var bytes: [UInt8] = []

    /// An empty payload.
    public init() {}

    /// Appends a number in the machine's byte order.
    @inlinable
    public mutating func append(_ value: some FixedWidthInteger) {
        unsafe withUnsafeBytes(of: value) { unsafe bytes.append(contentsOf: $0) }
    }

    /// Appends bytes as they are.
    public mutating func append(bytes newBytes: some Sequence<UInt8>) {
        bytes.append(contentsOf: newBytes)
    }

    /// Appends an attribute of bytes.
    public mutating func attribute(_ type: Int, bytes value: some Collection<UInt8>) {
        header(type, length: value.count)
        bytes.append(contentsOf: value)
        pad()
    }

    /// Appends an attribute that holds a number in the machine's byte order.
    @inlinable
    public mutating func attribute<Value: FixedWidthInteger>(_ type: Int, _ value: Value) {
        header(type, length: Value.bitWidth / 8)
        append(value)
        pad()
    }

    /// Appends an attribute that holds a number in network byte order.
    @inlinable
    public mutating func attribute(_ type: Int, bigEndian value: some FixedWidthInteger) {
        attribute(type, value.bigEndian)
    }

    /// Appends an attribute that holds a text and its terminating zero.
    public mutating func attribute(_ type: Int, string: String) {
        header(type, length: string.utf8.count + 1)
        bytes.append(contentsOf: string.utf8)
        bytes.append(0)
        pad()
    }

    /// Appends an attribute without a value.
    public mutating func flag(_ type: Int) {
        header(type, length: 0)
    }

    /// Appends an attribute that holds attributes.
    public mutating func nested<Failure: Error>(
        _ type: Int, _ body: (inout NetlinkWriter) throws(Failure) -> Void
    ) throws(Failure) {
        let start = beginNested(type)
        try body(&self)
        endNested(start)
    }

    /// The number of bytes written.
    public var count: Int {
        bytes.count
    }

    /// Starts a nested attribute; returns what `endNested` needs.
    public mutating func beginNested(_ type: Int) -> Int {
        let start = bytes.count
        header(type | Int(NetlinkAttribute.nestedFlag), length: 0)
        return start
    }

    /// Ends the nested attribute that began at `start`.
    public mutating func endNested(_ start: Int) {
        let length = bytes.count - start
        precondition(length <= 0xffff, "a netlink attribute holds at most 65,535 bytes")
        patch(UInt16(length), at: start)
    }

    @usableFromInline
    mutating func header(_ type: Int, length: Int) {
        precondition(length + 4 <= 0xffff, "a netlink attribute holds at most 65,531 bytes")
        append(UInt16(length + 4))
        append(UInt16(type))
    }

    @usableFromInline
    mutating func pad() {
        while bytes.count & 3 != 0 { bytes.append(0) }
    }

    private mutating func patch(_ value: UInt16, at offset: Int) {
        unsafe withUnsafeBytes(of: value) { unsafe bytes.replaceSubrange(offset..<offset + 2, with: $0) }
    }
}
