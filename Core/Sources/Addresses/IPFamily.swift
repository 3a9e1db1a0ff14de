/// An IP version: a value that tables, reconcilers and zones are instantiated with.
@frozen
public enum IPFamily: UInt8, Sendable, Hashable, CaseIterable {
    /// IPv4, 32-bit addresses.
    case ipv4 = 4
    /// IPv6, 128-bit addresses.
    case ipv6 = 6

    /// The family with the given Kubernetes name, `IPv4` or `IPv6`; nil for any other text.
    public init?(name: String) {
        switch name {
        case "IPv4": self = .ipv4
        case "IPv6": self = .ipv6
        default: return nil
        }
    }

    /// The Kubernetes name: `IPv4` or `IPv6`.
    public var name: String { self == .ipv4 ? "IPv4" : "IPv6" }

    /// The one of the two families that this is not.
    @inlinable
    public var other: IPFamily { self == .ipv4 ? .ipv6 : .ipv4 }

    /// The bits of an address: 32 or 128.
    @inlinable
    public var bitWidth: Int { self == .ipv4 ? 32 : 128 }

    /// The bytes of an address: 4 or 16.
    @inlinable
    public var byteCount: Int { bitWidth / 8 }
}

extension IPFamily: Comparable {
    /// Orders IPv4 before IPv6.
    @inlinable
    public static func < (left: IPFamily, right: IPFamily) -> Bool { left.rawValue < right.rawValue }
}

extension IPFamily: CustomStringConvertible {
    /// The Kubernetes name.
    public var description: String { name }
}

extension IPFamily: Codable {
    /// Reads the Kubernetes name.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let family = IPFamily(name: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is not an IP family; expected IPv4 or IPv6")
        }
        self = family
    }

    /// Writes the Kubernetes name.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
