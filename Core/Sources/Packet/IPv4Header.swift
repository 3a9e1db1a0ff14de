public import Addresses
public import Wire

/// The fields of an IPv4 header (RFC 791 §3.1).
@frozen
public struct IPv4Header: Hashable, Sendable {
    /// The bytes of a header without options, which is the one that is written.
    public static var minimumLength: Int { 20 }

    /// Differentiated services and congestion notification.
    public var typeOfService: UInt8
    /// The bytes of the packet, header included.
    public var totalLength: Int
    /// What the fragments of a datagram have in common.
    public var identification: UInt16
    /// Whether routers may not fragment the packet.
    public var dontFragment: Bool
    /// The part of its datagram that the packet carries.
    public var fragment: FragmentPosition
    /// The routers that may still forward the packet.
    public var timeToLive: UInt8
    /// What the packet carries.
    public var `protocol`: IPProtocol
    /// Where the packet comes from.
    public var source: IPv4Address
    /// Where the packet goes.
    public var destination: IPv4Address

    /// Makes a header.
    @inlinable
    public init(
        typeOfService: UInt8 = 0, totalLength: Int, identification: UInt16 = 0, dontFragment: Bool = false,
        fragment: FragmentPosition = .whole, timeToLive: UInt8 = 64, protocol: IPProtocol, source: IPv4Address,
        destination: IPv4Address
    ) {
        self.typeOfService = typeOfService
        self.totalLength = totalLength
        self.identification = identification
        self.dontFragment = dontFragment
        self.fragment = fragment
        self.timeToLive = timeToLive
        self.protocol = `protocol`
        self.source = source
        self.destination = destination
    }

    /// Reads the header at the start of `bytes`, whatever it says; nil if there are less than 20 bytes.
    @inlinable
    public init?(reading bytes: RawSpan) {
        guard bytes.byteCount >= IPv4Header.minimumLength else { return nil }
        self.init(unchecked: bytes)
    }

    @inlinable
    init(unchecked bytes: RawSpan) {
        let fragment = bytes.loadUnchecked(UInt16.self, at: 6)
        self.init(
            typeOfService: bytes.loadUnchecked(UInt8.self, at: 1),
            totalLength: Int(bytes.loadUnchecked(UInt16.self, at: 2)),
            identification: bytes.loadUnchecked(UInt16.self, at: 4), dontFragment: fragment & 0x4000 != 0,
            fragment: FragmentPosition(offset: Int(fragment & 0x1FFF) * 8, hasMore: fragment & 0x2000 != 0),
            timeToLive: bytes.loadUnchecked(UInt8.self, at: 8),
            protocol: IPProtocol(rawValue: bytes.loadUnchecked(UInt8.self, at: 9)),
            source: IPv4Address(rawValue: bytes.loadUnchecked(UInt32.self, at: 12)),
            destination: IPv4Address(rawValue: bytes.loadUnchecked(UInt32.self, at: 16)))
    }

    /// Writes 20 bytes, checksum included, at `offset`.
    ///
    /// - Precondition: `offset + 20` is inside the span, and the lengths fit their fields.
    @inlinable
    @_lifetime(buffer: copy buffer)
    public func write(to buffer: inout MutableRawSpan, at offset: Int) {
        let fragmentWord =
            UInt16(fragment.offset / 8) | (fragment.hasMore ? 0x2000 : 0) | (dontFragment ? 0x4000 : 0)
        let first = UInt32(0x4500 | UInt16(typeOfService)) << 16 | UInt32(UInt16(totalLength))
        let second = UInt32(identification) << 16 | UInt32(fragmentWord)
        let third = UInt32(timeToLive) << 24 | UInt32(`protocol`.rawValue) << 16
        var sum = InternetChecksum()
        sum.add(first)
        sum.add(second)
        sum.add(third)
        sum.add(source.rawValue)
        sum.add(destination.rawValue)
        buffer.store(UInt64(first) << 32 | UInt64(second), at: offset)
        buffer.store(UInt64(third | UInt32(sum.value)) << 32 | UInt64(source.rawValue), at: offset + 8)
        buffer.store(destination.rawValue, at: offset + 16)
    }

    /// The sum of the pseudo-header of TCP and UDP over addresses, protocol and length (RFC 793 §3.1).
    @inlinable
    public func pseudoHeader(transportLength: Int) -> InternetChecksum {
        var sum = InternetChecksum()
        sum.add(source.rawValue)
        sum.add(destination.rawValue)
        sum.add(UInt32(transportLength))
        sum.add(UInt16(`protocol`.rawValue))
        return sum
    }
}
