public import Wire

/// A view of an IPv4 packet (RFC 791); its lengths are validated once, and bytes behind the packet are left out.
@frozen
public struct IPv4Packet: ~Escapable {
    /// The packet, from its header to the end of its payload.
    public let bytes: RawSpan

    /// Looks at the packet at the start of `bytes`; nil if the header's version or lengths are impossible, or the packet
    /// is cut short.
    @inlinable
    @_lifetime(copy bytes)
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount >= IPv4Header.minimumLength else { return nil }
        let first = bytes.loadUnchecked(UInt8.self, at: 0)
        let headerLength = Int(first & 0xF) * 4
        let totalLength = Int(bytes.loadUnchecked(UInt16.self, at: 2))
        guard first >> 4 == 4, headerLength >= IPv4Header.minimumLength, totalLength >= headerLength,
            totalLength <= bytes.byteCount
        else { return nil }
        self.bytes = bytes.extracting(first: totalLength)
    }

    /// The bytes of the header, options included.
    @inlinable public var headerLength: Int { Int(bytes.loadUnchecked(UInt8.self, at: 0) & 0xF) * 4 }

    /// The bytes of the packet.
    @inlinable public var totalLength: Int { bytes.byteCount }

    /// The header's fields.
    @inlinable public var header: IPv4Header { IPv4Header(unchecked: bytes) }

    /// Whether the header's checksum is right.
    @inlinable
    public var hasValidChecksum: Bool {
        var sum = InternetChecksum()
        if headerLength == IPv4Header.minimumLength {
            sum.add(bytes.loadUnchecked(UInt128.self, at: 0))
            sum.add(bytes.loadUnchecked(UInt32.self, at: 16))
        } else {
            sum.add(bytes.extracting(first: headerLength))
        }
        return sum.folded == 0xFFFF
    }

    /// Whether the options ask for a route by way of hosts that have not been visited yet (RFC 791 §3.1, loose and
    /// strict source route).
    public var hasUnexpiredSourceRoute: Bool {
        var position = IPv4Header.minimumLength
        let end = headerLength
        while position < end {
            let kind = bytes.loadUnchecked(UInt8.self, at: position)
            if kind == 0 { return false }
            if kind == 1 {
                position += 1
                continue
            }
            guard position + 2 <= end else { return false }
            let length = Int(bytes.loadUnchecked(UInt8.self, at: position + 1))
            guard length >= 2, position + length <= end else { return false }
            if kind == 131 || kind == 137, length >= 3 {
                return Int(bytes.loadUnchecked(UInt8.self, at: position + 2)) <= length
            }
            position += length
        }
        return false
    }
}
