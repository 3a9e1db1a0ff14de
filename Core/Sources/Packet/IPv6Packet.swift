public import Wire

/// A view of an IPv6 packet (RFC 8200 §3); its length is validated once, and bytes behind the packet are left out.
@frozen
public struct IPv6Packet: ~Escapable {
    /// The packet, from its header to the end of its payload.
    public let bytes: RawSpan

    /// Looks at the packet at the start of `bytes`; nil if the version is another or the packet is cut short.
    @inlinable
    @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= IPv6Header.length, bytes.loadUnchecked(UInt8.self, at: 0) >> 4 == 6 else { return nil }
        let total = IPv6Header.length + Int(bytes.loadUnchecked(UInt16.self, at: 4))
        guard total <= bytes.byteCount else { return nil }
        self.bytes = bytes.extracting(first: total)
    }

    /// The bytes of the packet.
    @inlinable public var totalLength: Int { bytes.byteCount }

    /// The header's fields.
    @inlinable public var header: IPv6Header { IPv6Header(unchecked: bytes) }
}
