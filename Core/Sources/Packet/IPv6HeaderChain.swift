import Wire

/// What the extension headers of an IPv6 packet lead to (RFC 8200 §4).
@frozen
public struct IPv6HeaderChain: Hashable, Sendable {
    /// What the packet carries behind its extension headers.
    public var transport: IPProtocol
    /// Where that begins, counted from the packet's first byte.
    public var transportOffset: Int
    /// The fragment header, if there is one.
    public var fragment: IPv6FragmentHeader?
    /// Where the field "segments left" of the first routing header stands that is not at its end.
    public var openRoute: Int?

    /// Why a chain cannot be followed.
    @frozen
    public enum Failure: Error, Hashable, Sendable {
        /// A header reaches beyond the packet, or stands twice where it may stand once.
        case malformed
        /// There are more headers than anyone has a use for.
        case tooLong
    }

    /// The extension headers that are followed.
    public static var limit: Int { 8 }

    @usableFromInline
    init(transport: IPProtocol, transportOffset: Int) {
        self.transport = transport
        self.transportOffset = transportOffset
        fragment = nil
        openRoute = nil
    }

    /// Follows the headers of a packet, or of its beginning in an ICMP error.
    ///
    /// - Parameters:
    ///   - bytes: the packet from its IPv6 header on, which is whole.
    ///   - next: the IPv6 header's field "next header".
    @inlinable
    public static func follow(_ bytes: RawSpan, from next: IPProtocol) throws(Failure) -> IPv6HeaderChain {
        let chain = IPv6HeaderChain(transport: next, transportOffset: IPv6Header.length)
        switch next {
        case .hopByHop, .destinationOptions, .routing, .fragment: return try chain.following(bytes)
        default: return chain
        }
    }

    @usableFromInline
    func following(_ bytes: RawSpan) throws(Failure) -> IPv6HeaderChain {
        var chain = self
        var count = 0
        while true {
            let offset = chain.transportOffset
            let length: Int
            switch chain.transport {
            case .hopByHop, .destinationOptions, .routing:
                // What a later fragment carries is not a header, whatever its number says.
                if let fragment = chain.fragment, !fragment.position.isFirst { return chain }
                guard offset + 8 <= bytes.byteCount else { throw .malformed }
                length = Int(bytes.load(UInt8.self, at: offset + 1)) * 8 + 8
                if chain.transport == .routing, bytes.load(UInt8.self, at: offset + 3) != 0, chain.openRoute == nil {
                    chain.openRoute = offset + 3
                }
            case .fragment:
                guard chain.fragment == nil, offset + 8 <= bytes.byteCount else { throw .malformed }
                length = IPv6FragmentHeader.length
                let word = bytes.load(UInt16.self, at: offset + 2)
                chain.fragment = IPv6FragmentHeader(
                    nextHeader: IPProtocol(rawValue: bytes.load(UInt8.self, at: offset)),
                    position: FragmentPosition(offset: Int(word & 0xFFF8), hasMore: word & 1 != 0),
                    identification: bytes.load(UInt32.self, at: offset + 4))
            default:
                return chain
            }
            count += 1
            guard count <= Self.limit else { throw .tooLong }
            guard offset + length <= bytes.byteCount else { throw .malformed }
            chain.transport = IPProtocol(rawValue: bytes.load(UInt8.self, at: offset))
            chain.transportOffset = offset + length
        }
    }
}
