public import Addresses

/// How Services reach endpoints that have no address of the caller's family.
public struct CrossFamilyOptions: Hashable, Sendable {
    /// IPv4 addresses of which each stands for an IPv6 endpoint on this node; none of them ever leaves it.
    public var standIns: IPPrefix
    /// Whether all Services are translated that do not refuse it, rather than those that ask for it.
    public var includesAll: Bool

    /// Addresses that nobody else has: of the block that was never given out (RFC 1112 §4), which Linux takes as any other.
    public static let defaultStandIns = IPPrefix(.v4(IPv4Address(rawValue: 250 << 24 | 68 << 16)), length: 16)

    /// The fewest addresses that make a range.
    public static let longestStandIns = 24

    /// Describes translation.
    ///
    /// - Precondition: `standIns` is an IPv4 prefix no longer than `longestStandIns`.
    public init(standIns: IPPrefix = CrossFamilyOptions.defaultStandIns, includesAll: Bool = false) {
        precondition(
            standIns.family == .ipv4 && standIns.length <= Self.longestStandIns, "no IPv4 range of 256 addresses")
        self.standIns = standIns
        self.includesAll = includesAll
    }

    /// What an agent may have been told that has made these tables: whether all Services are translated or some stands
    /// nowhere but in what came of it.
    static func candidates(_ tables: [IPFamily: ProxyTable]) -> [CrossFamilyOptions?] {
        let range = tables[.ipv4]?.entries.keys.compactMap {
            if case .translated(let range) = $0 { range } else { nil }
        }
        guard let standIns = range?.first, standIns.length <= longestStandIns else { return [nil] }
        return [false, true].map { CrossFamilyOptions(standIns: standIns, includesAll: $0) }
    }
}
