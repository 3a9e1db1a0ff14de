public import Addresses

/// A pair of networks whose addresses stand for each other (RFC 7757 §3.2).
@frozen
public struct ExplicitAddressMapping: Hashable, Sendable {
    /// The IPv4 network.
    public let ipv4: IPPrefix
    /// The IPv6 network, with at least as many host bits as the IPv4 network.
    public let ipv6: IPPrefix

    /// Makes a mapping; nil if the families are others, or the IPv6 network is too small.
    @inlinable
    public init?(ipv4: IPPrefix, ipv6: IPPrefix) {
        guard ipv4.family == .ipv4, ipv6.family == .ipv6, ipv4.hostBits <= ipv6.hostBits else { return nil }
        self.ipv4 = ipv4
        self.ipv6 = ipv6
    }

    /// The IPv6 address of a member of the IPv4 network: its host bits follow the IPv6 network's, then zeros.
    @inlinable
    func ipv6Address(for address: IPv4Address) -> IPv6Address {
        let suffix = UInt128(address.rawValue) ^ ipv4.address.bits
        return IPv6Address(rawValue: ipv6.address.bits | suffix << UInt128(ipv6.hostBits - ipv4.hostBits))
    }

    /// The IPv4 address of a member of the IPv6 network.
    @inlinable
    func ipv4Address(for address: IPv6Address) -> IPv4Address {
        let suffix = (address.rawValue ^ ipv6.address.bits) >> UInt128(ipv6.hostBits - ipv4.hostBits)
        return IPv4Address(rawValue: UInt32(truncatingIfNeeded: ipv4.address.bits | suffix))
    }
}

/// Which address of one family stands for which of the other: explicit mappings first, then a translation prefix.
public struct AddressMapper: Sendable {
    /// The prefix that every other address is embedded in.
    public let prefix: TranslationPrefix?
    /// Whether the well-known prefix may stand for addresses that are not global, against RFC 6052 §3.1.
    public let embedsNonGlobal: Bool
    /// Whether packets between two hosts with explicit mappings are taken both ways at once (RFC 7757 §4); otherwise they
    /// become IPv4, and whoever gets them decides.
    public let leadsBack: Bool
    /// Whether IPv6 hosts without an explicit mapping have addresses inside the prefix (RFC 6052 §2.2: IPv4-translatable ones);
    /// otherwise what goes from there to there was translated already, or is forged.
    public let hostsAreEmbedded: Bool
    private let byIPv4: PrefixMap<ExplicitAddressMapping>
    private let byIPv6: PrefixMap<ExplicitAddressMapping>
    /// Mappings of single addresses, which count before those of networks, and may change.
    private var hostsByIPv4 = AddressTable<UInt32, UInt128>()
    private var hostsByIPv6 = AddressTable<UInt128, UInt32>()

    /// Makes a mapper; of overlapping mappings the longest prefix counts, and the last of equal ones, in each family on its own.
    public init(
        explicit: [ExplicitAddressMapping] = [], prefix: TranslationPrefix?, embedsNonGlobal: Bool = false,
        leadsBack: Bool = true, hostsAreEmbedded: Bool = false
    ) {
        self.prefix = prefix
        self.hostsAreEmbedded = hostsAreEmbedded
        self.leadsBack = leadsBack
        self.embedsNonGlobal = embedsNonGlobal || prefix != .wellKnown
        byIPv4 = PrefixMap(explicit.filter { $0.ipv4.hostBits > 0 }.map { ($0.ipv4, $0) })
        byIPv6 = PrefixMap(explicit.filter { $0.ipv6.hostBits > 0 }.map { ($0.ipv6, $0) })
        for mapping in explicit {
            let (ipv4, ipv6) = (UInt32(mapping.ipv4.address.bits), mapping.ipv6.address.bits)
            if mapping.ipv4.hostBits == 0, ipv4 != 0 { hostsByIPv4.set(ipv4, ipv6) }
            if mapping.ipv6.hostBits == 0, ipv6 != 0 { hostsByIPv6.set(ipv6, ipv4) }
        }
    }

    // MARK: Hosts

    /// Lets two addresses stand for each other, in place of what either stood for.
    ///
    /// - Complexity: O(1), however many mappings there are, but for a table that has to grow.
    public mutating func setHost(_ ipv4: IPv4Address, _ ipv6: IPv6Address) {
        if let former = hostsByIPv4[ipv4.rawValue] { hostsByIPv6.remove(former) }
        if let former = hostsByIPv6[ipv6.rawValue] { hostsByIPv4.remove(former) }
        hostsByIPv4.set(ipv4.rawValue, ipv6.rawValue)
        hostsByIPv6.set(ipv6.rawValue, ipv4.rawValue)
    }

    /// Lets two addresses no longer stand for each other; others that either stands for by now stay.
    public mutating func removeHost(_ ipv4: IPv4Address, _ ipv6: IPv6Address) {
        if hostsByIPv4[ipv4.rawValue] == ipv6.rawValue { hostsByIPv4.remove(ipv4.rawValue) }
        if hostsByIPv6[ipv6.rawValue] == ipv4.rawValue { hostsByIPv6.remove(ipv6.rawValue) }
    }

    /// Whether there are explicit mappings.
    var hasExplicit: Bool { !hostsByIPv4.isEmpty || !byIPv4.isEmpty }

    // MARK: Lookups

    /// The IPv6 address that stands for an IPv4 address.
    public func ipv6Address(for address: IPv4Address) -> IPv6Address? {
        explicit(for: address) ?? embedding(address)
    }

    /// The IPv4 address that an IPv6 address stands for.
    public func ipv4Address(for address: IPv6Address) -> IPv4Address? {
        if let host = explicit(for: address) { return host }
        guard let inner = prefix?.extracting(from: address), embedsNonGlobal || inner.isGlobal else { return nil }
        return inner
    }

    /// Whether a packet goes round in a circle, or is forged: both its addresses are those of IPv4 hosts.
    func isLoop(from source: IPv6Address, to destination: IPv6Address) -> Bool {
        !hostsAreEmbedded && isEmbedded(source) && isEmbedded(destination)
    }

    private func isEmbedded(_ address: IPv6Address) -> Bool {
        guard let prefix, prefix.contains(address) else { return false }
        return explicit(for: address) == nil
    }

    private func explicit(for address: IPv6Address) -> IPv4Address? {
        if let host = hostsByIPv6[address.rawValue] { return IPv4Address(rawValue: host) }
        guard !byIPv6.isEmpty, let index = byIPv6.index(ofBits: address.rawValue) else { return nil }
        return byIPv6.entries[index].value.ipv4Address(for: address)
    }

    /// Whether an IPv4 address has an explicit mapping.
    public func isExplicit(_ address: IPv4Address) -> Bool { explicit(for: address) != nil }

    /// The IPv6 address by the prefix alone.
    func embedding(_ address: IPv4Address) -> IPv6Address? {
        guard let prefix, embedsNonGlobal || address.isGlobal else { return nil }
        return prefix.embedding(address)
    }

    private func explicit(for address: IPv4Address) -> IPv6Address? {
        if let host = hostsByIPv4[address.rawValue] { return IPv6Address(rawValue: host) }
        guard !byIPv4.isEmpty, let index = byIPv4.index(ofBits: UInt128(address.rawValue)) else { return nil }
        return byIPv4.entries[index].value.ipv6Address(for: address)
    }
}

extension IPv4Address {
    /// Whether the address means the same everywhere (the IANA registry of special-purpose IPv4 addresses).
    var isGlobal: Bool {
        switch rawValue >> 24 {
        case 0, 10, 127, 224...255: false
        case 100: rawValue >> 22 != 0x6440 >> 6
        case 169: rawValue >> 16 != 0xA9FE
        case 172: rawValue >> 20 != 0xAC1
        case 192:
            rawValue >> 16 != 0xC0A8 && rawValue >> 8 != 0xC00000 && rawValue >> 8 != 0xC00002
        case 198: rawValue >> 17 != 0xC612 >> 1 && rawValue >> 8 != 0xC63364
        case 203: rawValue >> 8 != 0xCB0071
        default: true
        }
    }

    /// Whether the address is that of many hosts.
    var isGroup: Bool { rawValue >> 28 == 0xE || rawValue == .max }

    /// Whether a packet with this source or destination is not translated; an ICMP error may have such a source.
    var isIllegal: Bool {
        switch rawValue >> 24 {
        case 0, 127: true
        case 224...239: true
        default: rawValue == .max || rawValue >> 16 == 0xA9FE
        }
    }
}

extension IPv6Address {
    /// Whether a packet with this source or destination is not translated.
    var isIllegal: Bool {
        rawValue >> 120 == 0xFF || rawValue <= 1 || rawValue >> 118 == 0xFE80 >> 6
    }
}
