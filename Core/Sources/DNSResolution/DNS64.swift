public import Addresses

/// How IPv6 addresses are made for names that have IPv4 addresses only (RFC 6147).
public struct DNS64: Sendable {
    /// The prefixes that IPv4 addresses are embedded in, in the order of the answers; without any nothing is made.
    public let prefixes: [TranslationPrefix]
    private let excludedIPv6: PrefixMap<Bool>
    private let excludedIPv4: PrefixMap<Bool>
    private let notGlobal: PrefixMap<Bool>

    /// IPv4-mapped addresses, which nobody can reach (RFC 6147 §5.1.4).
    public static let mapped = IPPrefix(.v6(IPv6Address(rawValue: 0xFFFF << 32)), length: 96)

    /// IPv4 networks that are not globally reachable, which the well-known prefix must not hold (RFC 6052 §3.1,
    /// RFC 6890).
    public static let notGlobalIPv4: [IPPrefix] = [
        (0, 8), (0x0A00_0000, 8), (0x6440_0000, 10), (0x7F00_0000, 8), (0xA9FE_0000, 16), (0xAC10_0000, 12),
        (0xC000_0000, 24), (0xC000_0200, 24), (0xC0A8_0000, 16), (0xC612_0000, 15), (0xC633_6400, 24),
        (0xCB00_7100, 24), (0xE000_0000, 4), (0xF000_0000, 4),
    ].map { IPPrefix(.v4(IPv4Address(rawValue: $0)), length: $1) }

    /// Describes the synthesis.
    ///
    /// - Parameters:
    ///   - excludedIPv6: AAAA records with such addresses count as absent; `::ffff:0:0/96` always is among them.
    ///   - excludedIPv4: no addresses are made of these.
    public init(prefixes: [TranslationPrefix] = [], excludedIPv6: [IPPrefix] = [], excludedIPv4: [IPPrefix] = []) {
        self.prefixes = prefixes
        self.excludedIPv6 = PrefixMap(([DNS64.mapped] + excludedIPv6).map { ($0, true) })
        self.excludedIPv4 = PrefixMap(excludedIPv4.map { ($0, true) })
        notGlobal = PrefixMap(DNS64.notGlobalIPv4.map { ($0, true) })
    }

    /// Whether an AAAA record counts.
    func accepts(_ address: UInt128) -> Bool { excludedIPv6.index(ofBits: address) == nil }

    /// The address under a prefix that stands for an IPv4 address; nil where there must not be one.
    func synthesize(_ address: IPv4Address, _ prefix: TranslationPrefix) -> IPv6Address? {
        let bits = UInt128(address.rawValue)
        guard excludedIPv4.index(ofBits: bits) == nil,
            prefix != .wellKnown || notGlobal.index(ofBits: bits) == nil
        else { return nil }
        return prefix.embedding(address)
    }

    /// The IPv4 address that an address under one of the prefixes stands for.
    func origin(of address: IPv6Address) -> IPv4Address? {
        for prefix in prefixes {
            if let inner = prefix.extracting(from: address) { return inner }
        }
        return nil
    }
}
