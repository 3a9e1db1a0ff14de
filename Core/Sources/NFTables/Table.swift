public import Addresses
internal import CLinux

/// A table: the owner of chains and sets.
public struct Table: Hashable, Sendable {
    /// Which packets a table sees.
    public struct Family: RawRepresentable, Hashable, Sendable {
        /// The protocol number of linux/netfilter.h.
        public let rawValue: UInt8

        /// Wraps a protocol number.
        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        /// The table of one address family.
        public init(_ family: IPFamily) {
            self = family == .ipv4 ? .ip : .ip6
        }

        /// IPv4.
        public static let ip = Family(rawValue: UInt8(NFPROTO_IPV4))
        /// IPv6.
        public static let ip6 = Family(rawValue: UInt8(NFPROTO_IPV6))
        /// IPv4 and IPv6.
        public static let inet = Family(rawValue: UInt8(NFPROTO_INET))
        /// Frames that a bridge forwards.
        public static let bridge = Family(rawValue: UInt8(NFPROTO_BRIDGE))
    }

    /// Which packets it sees.
    public let family: Family
    /// The name, unique within the family.
    public let name: String

    /// Names a table.
    public init(family: Family, name: String) {
        self.family = family
        self.name = name
    }
}

extension Table: CustomStringConvertible {
    /// The way nft writes it: "ip6 duet-proxy".
    public var description: String {
        "\(family) \(name)"
    }
}

extension Table.Family: CustomStringConvertible {
    /// The word that nft uses.
    public var description: String {
        switch self {
        case .ip: "ip"
        case .ip6: "ip6"
        case .inet: "inet"
        case .bridge: "bridge"
        default: "family-\(rawValue)"
        }
    }
}
