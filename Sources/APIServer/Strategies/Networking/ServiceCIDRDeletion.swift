package import Addresses

/// Which ServiceCIDRs may go, given the others and the addresses in use (KEP-1880).
package struct ServiceCIDRDeletion: Sendable {
    /// The ranges that stay, by ServiceCIDR; those that are being deleted are not among them.
    private let remaining: [String: [IPPrefix]]
    /// The addresses that Services hold.
    private let held: [IPAddress]

    /// Describes a cluster.
    package init(remaining: [String: [IPPrefix]], held: [IPAddress]) {
        self.remaining = remaining
        self.held = held
    }

    /// Whether a ServiceCIDR must stay: some address would lie in no range without it.
    ///
    /// O(addresses in use), unless other ranges contain all of its own.
    package func isBlocked(_ name: String, ranges: [IPPrefix]) -> Bool {
        let others = remaining.filter { $0.key != name }.flatMap(\.value)
        let isCovered = ranges.allSatisfy { range in others.contains { $0.contains(range) } }
        guard !isCovered else { return false }
        return held.contains { address in
            ranges.contains { $0.contains(address) } && !others.contains { $0.contains(address) }
        }
    }
}
