import Addresses

/// One prefix that the machine uses already.
struct HostPrefix: Hashable, Sendable {
    /// The prefix of an address or a route.
    let prefix: IPPrefix
    /// Name of the interface it belongs to.
    let interface: String
}

extension ClusterSpec {
    /// Checks that no range of the cluster overlaps what the machine uses.
    ///
    /// Default routes do not count, nor do the prefixes of interfaces in `ownInterfaces`.
    func checkAgainstHost(_ used: [HostPrefix], ownInterfaces: Set<String>) throws(LocalClusterError) {
        for host in used where !ownInterfaces.contains(host.interface) && host.prefix.length > 0 {
            for (purpose, option, range) in namedRanges where range.overlaps(host.prefix) {
                throw LocalClusterError(
                    "the \(purpose) range \(range) overlaps \(host.prefix), which this machine uses on \(host.interface)",
                    remedy: "Give another range with \(option).")
            }
        }
    }
}
