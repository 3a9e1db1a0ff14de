/// What an OPT record says (RFC 6891); its options are not kept.
@frozen
public struct ExtendedDNS: Hashable, Sendable {
    /// The size of UDP message that the sender takes, in bytes.
    public var payloadSize: UInt16
    /// The upper eight bits of the response code.
    public var extendedCode: UInt8
    /// The version; 0 is the only one.
    public var version: UInt8
    /// Whether the sender wants DNSSEC records (DO).
    public var wantsDNSSEC: Bool

    /// The size of UDP messages that crosses any IPv6 path in one piece.
    public static let safePayloadSize: UInt16 = 1232

    /// Makes the content of an OPT record.
    @inlinable
    public init(
        payloadSize: UInt16 = safePayloadSize, extendedCode: UInt8 = 0, version: UInt8 = 0, wantsDNSSEC: Bool = false
    ) {
        self.payloadSize = payloadSize
        self.extendedCode = extendedCode
        self.version = version
        self.wantsDNSSEC = wantsDNSSEC
    }

    init(dnsClass: DNSClass, ttl: UInt32) {
        payloadSize = dnsClass.rawValue
        extendedCode = UInt8(truncatingIfNeeded: ttl >> 24)
        version = UInt8(truncatingIfNeeded: ttl >> 16)
        wantsDNSSEC = ttl & 0x8000 != 0
    }

    /// The word that stands in the place of a record's lifetime.
    var ttl: UInt32 { UInt32(extendedCode) << 24 | UInt32(version) << 16 | (wantsDNSSEC ? 0x8000 : 0) }
}
