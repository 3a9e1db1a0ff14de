public import Addresses

/// Whether pods' packets leave the cluster under their node's address.
public enum Masquerading: String, CaseIterable, Sendable {
    /// Those from addresses that the outside cannot answer to: private IPv4, and unique local IPv6 addresses.
    case auto
    /// All.
    case always
    /// None: routers outside know the pods.
    case never
}

/// Which packets of pods leave the cluster under their node's address.
public struct MasqueradePolicy: Hashable, Sendable {
    /// What holds for each family; `auto` where nothing is said.
    public var modes: [IPFamily: Masquerading]
    /// Destinations outside the cluster that see pods' own addresses nevertheless.
    public var exempt: [IPPrefix]

    /// Describes a policy.
    public init(modes: [IPFamily: Masquerading] = [:], exempt: [IPPrefix] = []) {
        self.modes = modes
        self.exempt = exempt
    }

    /// Whether packets from a block of pods are masqueraded.
    package func applies(to block: IPPrefix) -> Bool {
        switch modes[block.family] ?? .auto {
        case .auto: !block.first.isGloballyRouted
        case .always: true
        case .never: false
        }
    }
}

extension IPAddress {
    // IANA's special-purpose registries (RFC 6890): what is not routed on the Internet. IPv6 has one range that is.
    private static let globalIPv6 = IPPrefix("2000::/3")
    private static let specialIPv4 = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
    ].compactMap { IPPrefix($0) }

    /// Whether the Internet can route to the address.
    package var isGloballyRouted: Bool {
        family == .ipv6
            ? Self.globalIPv6?.contains(self) == true : !Self.specialIPv4.contains { $0.contains(self) }
    }
}
