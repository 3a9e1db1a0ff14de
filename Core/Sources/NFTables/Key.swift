public import Addresses

/// The bytes of a key or value, field by field; in a concatenation each field fills whole registers of four bytes.
public struct Key: Hashable, Sendable {
    /// The bytes on the wire.
    public private(set) var bytes: [UInt8]

    /// An empty key.
    public init() {
        bytes = []
    }

    /// A key of bytes that are laid out already.
    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// A key of one address.
    public init(_ address: IPAddress) {
        self.init(bytes: address.bytes)
    }

    /// A key of one port.
    public init(port: UInt16) {
        self.init(bytes: [UInt8(port >> 8), UInt8(port & 0xff)])
    }

    /// Appends a field of bytes.
    public mutating func append(field: some Collection<UInt8>) {
        let isFirst = bytes.isEmpty
        pad()
        bytes.append(contentsOf: field)
        // A key of one field has that field's size; padding begins with the second.
        if !isFirst { pad() }
    }

    /// Appends an address.
    public mutating func append(_ address: IPAddress) {
        append(field: address.bytes)
    }

    /// Appends a transport protocol number.
    public mutating func append(transportProtocol: UInt8) {
        append(field: [transportProtocol])
    }

    /// Appends a port.
    public mutating func append(port: UInt16) {
        append(field: [UInt8(port >> 8), UInt8(port & 0xff)])
    }

    /// Appends a 32-bit number in the machine's byte order.
    public mutating func append(number: UInt32) {
        unsafe withUnsafeBytes(of: number) { unsafe append(field: $0) }
    }

    private mutating func pad() {
        while bytes.count & 3 != 0 { bytes.append(0) }
    }
}
