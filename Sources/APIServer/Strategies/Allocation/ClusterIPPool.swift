package import Addresses

/// The cluster IPs of a cluster: the ranges that new ones come from, and all that are held.
///
/// An address is held whatever the ranges are, so that ranges may overlap, grow, shrink and go.
package struct ClusterIPPool: Sendable, Equatable {
    /// Shortest IPv6 prefix that addresses are allocated from.
    package static let shortestIPv6Length = 64

    /// The ranges of one ServiceCIDR.
    private struct Source: Sendable, Equatable {
        var ranges: [ClusterIPRange]
        var isReady: Bool
    }

    private var sources: [String: Source] = [:]
    /// Held by Services.
    private var services: Set<IPAddress> = []
    /// Named by IPAddress objects, those of Services among them.
    private var objects: Set<IPAddress> = []

    /// A pool without ranges.
    package init() {}

    /// Sets the ranges of a ServiceCIDR; those of one that is not ready give no new addresses.
    package mutating func setRanges(_ prefixes: [IPPrefix], isReady: Bool, of name: String) {
        let usable = prefixes.filter { $0.family == .ipv4 || $0.length >= Self.shortestIPv6Length }
        sources[name] = Source(ranges: usable.map(ClusterIPRange.init), isReady: isReady)
    }

    /// Forgets a ServiceCIDR.
    package mutating func removeRanges(of name: String) { sources[name] = nil }

    /// Addresses held by Services.
    package var held: Set<IPAddress> { services }

    /// Takes a certain address for a Service.
    package mutating func take(_ address: IPAddress) throws(AllocationError) {
        try check(address)
        guard !isTaken(address) else { throw .taken("IP") }
        services.insert(address)
    }

    /// Whether a ready range has the address at all.
    package func check(_ address: IPAddress) throws(AllocationError) {
        let containing = ready(address.family).filter { $0.prefix.contains(address) }
        guard let range = containing.first else {
            throw AllocationError(description: "the provided network does not match the current range")
        }
        guard containing.contains(where: { $0.isUsable(address) }) else {
            throw AllocationError(
                description:
                    "the provided IP (\(address)) is not in the valid range. The range of valid IPs is \(range.prefix)")
        }
    }

    /// Whether any range, ready or not, has the address.
    package func isCovered(_ address: IPAddress) -> Bool {
        sources.values.contains { $0.ranges.contains { $0.prefix.contains(address) } }
    }

    /// Takes any address of a family for a Service.
    package mutating func takeAny(
        _ family: IPFamily, using generator: inout some RandomNumberGenerator
    ) throws(AllocationError) -> IPAddress {
        for range in ready(family) {
            guard let address = range.choose(using: &generator, isTaken: isTaken) else { continue }
            services.insert(address)
            return address
        }
        throw .full
    }

    /// The network address of a range from which an address of the family could be taken.
    package func sample(_ family: IPFamily) throws(AllocationError) -> IPAddress {
        guard let range = ready(family).first else { throw .full }
        return range.prefix.address
    }

    /// Notes what a stored Service holds, wherever it lies.
    package mutating func occupy(_ address: IPAddress) { services.insert(address) }

    /// Gives back what a Service held.
    package mutating func release(_ address: IPAddress) { services.remove(address) }

    /// Notes an IPAddress object; false when it is known.
    package mutating func note(_ address: IPAddress) -> Bool { objects.insert(address).inserted }

    /// Forgets an IPAddress object.
    package mutating func forget(_ address: IPAddress) { objects.remove(address) }

    private func isTaken(_ address: IPAddress) -> Bool { services.contains(address) || objects.contains(address) }

    /// The ranges of a family that give new addresses, each once.
    private func ready(_ family: IPFamily) -> [ClusterIPRange] {
        var ranges: [ClusterIPRange] = []
        for (_, source) in sources.sorted(by: { $0.key < $1.key }) where source.isReady {
            ranges += source.ranges.filter { $0.prefix.family == family && !ranges.contains($0) }
        }
        return ranges
    }
}
