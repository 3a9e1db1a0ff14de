public import Addresses
public import Wire

/// The fields of an IPv6 header (RFC 8200 §3).
@frozen
public struct IPv6Header: Hashable, Sendable {
    /// The bytes of a header.
    public static var length: Int { 40 }

    /// Differentiated services and congestion notification.
    public var trafficClass: UInt8
    /// The flow, in 20 bits.
    public var flowLabel: UInt32
    /// The bytes behind the header.
    public var payloadLength: Int
    /// What the header carries.
    public var nextHeader: IPProtocol
    /// The routers that may still forward the packet.
    public var hopLimit: UInt8
    /// Where the packet comes from.
    public var source: IPv6Address
    /// Where the packet goes.
    public var destination: IPv6Address

    /// Makes a header.
    @inlinable
    public init(
        trafficClass: UInt8 = 0, flowLabel: UInt32 = 0, payloadLength: Int, nextHeader: IPProtocol,
        hopLimit: UInt8 = 64, source: IPv6Address, destination: IPv6Address
    ) {
        self.trafficClass = trafficClass
        self.flowLabel = flowLabel
        self.payloadLength = payloadLength
        self.nextHeader = nextHeader
        self.hopLimit = hopLimit
        self.source = source
        self.destination = destination
    }

    /// Reads the header at the start of `bytes`, whatever it says; nil if there are less than 40 bytes.
    @inlinable
    public init?(reading bytes: RawSpan) {
        guard bytes.byteCount >= IPv6Header.length else { return nil }
        self.init(unchecked: bytes)
    }

    @inlinable
    init(unchecked bytes: RawSpan) {
        let first = bytes.loadUnchecked(UInt32.self, at: 0)
        self.init(
            trafficClass: UInt8(truncatingIfNeeded: first >> 20), flowLabel: first & 0xF_FFFF,
            payloadLength: Int(bytes.loadUnchecked(UInt16.self, at: 4)),
            nextHeader: IPProtocol(rawValue: bytes.loadUnchecked(UInt8.self, at: 6)),
            hopLimit: bytes.loadUnchecked(UInt8.self, at: 7),
            source: IPv6Address(rawValue: bytes.loadUnchecked(UInt128.self, at: 8)),
            destination: IPv6Address(rawValue: bytes.loadUnchecked(UInt128.self, at: 24)))
    }

    /// Writes 40 bytes at `offset`.
    ///
    /// - Precondition: `offset + 40` is inside the span, and the length fits its field.
    @inlinable
    @_lifetime(buffer: copy buffer)
    public func write(to buffer: inout MutableRawSpan, at offset: Int) {
        let first = 6 << 28 | UInt32(trafficClass) << 20 | flowLabel & 0xF_FFFF
        let second = UInt32(UInt16(payloadLength)) << 16 | UInt32(nextHeader.rawValue) << 8 | UInt32(hopLimit)
        buffer.store(UInt64(first) << 32 | UInt64(second), at: offset)
        buffer.store(source.rawValue, at: offset + 8)
        buffer.store(destination.rawValue, at: offset + 24)
    }

    /// The sum of the pseudo-header of a transport over addresses, length and protocol (RFC 8200 §8.1).
    @inlinable
    public func pseudoHeader(transport: IPProtocol, transportLength: Int) -> InternetChecksum {
        var sum = InternetChecksum()
        sum.add(source.rawValue)
        sum.add(destination.rawValue)
        sum.add(UInt32(transportLength))
        sum.add(UInt16(transport.rawValue))
        return sum
    }
}

/// The IPv6 fragment header (RFC 8200 §4.5).
@frozen
public struct IPv6FragmentHeader: Hashable, Sendable {
    /// The bytes of a header.
    public static var length: Int { 8 }

    /// What the fragments carry.
    public var nextHeader: IPProtocol
    /// The part of its datagram that the packet carries.
    public var position: FragmentPosition
    /// What the fragments of a datagram have in common.
    public var identification: UInt32

    /// Makes a header.
    @inlinable
    public init(nextHeader: IPProtocol, position: FragmentPosition, identification: UInt32) {
        self.nextHeader = nextHeader
        self.position = position
        self.identification = identification
    }

    /// Writes 8 bytes at `offset`.
    ///
    /// - Precondition: `offset + 8` is inside the span.
    @inlinable
    @_lifetime(buffer: copy buffer)
    public func write(to buffer: inout MutableRawSpan, at offset: Int) {
        let first = UInt32(nextHeader.rawValue) << 24 | UInt32(position.offset & 0xFFF8) | (position.hasMore ? 1 : 0)
        buffer.store(UInt64(first) << 32 | UInt64(identification), at: offset)
    }
}
