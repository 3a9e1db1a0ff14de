extension IPAddress: LosslessStringConvertible {
    /// Reads the strict text of either family: dotted decimal without leading zeros, or RFC 4291 §2.2.
    public init?(_ text: String) {
        self.init(text, allowingLeadingZeros: false)
    }

    /// Reads what Kubernetes always accepted: leading zeros in octets (read as decimal), and IPv4-mapped IPv6, which
    /// becomes the IPv4 address.
    public init?(sloppy text: String) {
        guard let address = IPAddress(text, allowingLeadingZeros: true) else { return nil }
        self = address.unmapped
    }

    /// The IPv4 address inside an IPv4-mapped IPv6 address; every other address itself.
    public var unmapped: IPAddress {
        if case .v6(let v6) = self, let mapped = v6.mapped { return .v4(mapped) }
        return self
    }

    /// Reads the strict form of an address from ASCII bytes.
    public init?(ascii bytes: Span<UInt8>) {
        if let value = IPv4Address.parse(bytes, from: 0, allowingLeadingZeros: false) {
            self = .v4(IPv4Address(rawValue: value))
        } else if let value = IPv6Address.parse(bytes, allowingLeadingZeros: false) {
            self = .v6(IPv6Address(rawValue: value))
        } else {
            return nil
        }
    }

    private init?(_ text: String, allowingLeadingZeros: Bool) {
        let bytes = text.utf8.span
        var isIPv6 = false
        for index in bytes.indices where bytes[index] == UInt8(ascii: ":") {
            isIPv6 = true
            break
        }
        if isIPv6 {
            guard let value = IPv6Address.parse(bytes, allowingLeadingZeros: allowingLeadingZeros) else { return nil }
            self = .v6(IPv6Address(rawValue: value))
        } else {
            guard let value = IPv4Address.parse(bytes, from: 0, allowingLeadingZeros: allowingLeadingZeros) else {
                return nil
            }
            self = .v4(IPv4Address(rawValue: value))
        }
    }

    /// The canonical text: dotted decimal or RFC 5952.
    public var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }

    /// The text as the host of a URI: IPv6 in brackets (RFC 3986 §3.2.2).
    public var uriHost: String {
        family == .ipv6 ? "[\(self)]" : description
    }

    /// The name that a PTR query asks for, under `in-addr.arpa` or `ip6.arpa`, without the final dot
    /// (RFC 1035 §3.5, RFC 3596 §2.5).
    public var reverseName: String {
        let unit = family == .ipv4 ? 8 : 4
        let radix = family == .ipv4 ? 10 : 16
        var text = ""
        text.reserveCapacity(72)
        for shift in stride(from: 0, to: family.bitWidth, by: unit) {
            text += String((bits >> UInt128(shift)) & ((1 << UInt128(unit)) - 1), radix: radix)
            text += "."
        }
        return text + (family == .ipv4 ? "in-addr.arpa" : "ip6.arpa")
    }
}

extension IPAddress: Codable {
    /// Reads the strict text of an address.
    public init(from decoder: any Decoder) throws {
        self = try decoder.decodeText(as: IPAddress.self, describedAs: "an IP address")
    }

    /// Writes the canonical text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Decoder {
    /// Decodes one string and parses it.
    func decodeText<Value: LosslessStringConvertible>(
        as type: Value.Type, describedAs expectation: String
    ) throws -> Value {
        let container = try singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Value(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is not \(expectation)")
        }
        return value
    }
}
