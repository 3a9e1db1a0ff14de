public import Addresses

/// How many nodes, pods and Services fit into some prefixes, and for how long.
public struct ClusterPlan: Sendable {
    /// What a cluster is made of, and how it grows.
    public struct Request: Sendable, Hashable {
        /// Prefixes for pods.
        public var podPrefixes: [IPPrefix]
        /// Prefixes for Services.
        public var servicePrefixes: [IPPrefix]
        /// The prefix length of a node's block by family.
        public var blockLengths: [IPFamily: Int]
        /// The most pods that a node runs.
        public var podsPerNode: Int
        /// What there is today.
        public var today: Amounts
        /// What is added every day; nil when nothing is known about it.
        public var growth: Amounts?

        /// Describes a cluster.
        public init(
            podPrefixes: [IPPrefix], servicePrefixes: [IPPrefix] = [],
            blockLengths: [IPFamily: Int] = [.ipv4: 24, .ipv6: 64], podsPerNode: Int = 110, today: Amounts = Amounts(),
            growth: Amounts? = nil
        ) {
            self.podPrefixes = podPrefixes
            self.servicePrefixes = servicePrefixes
            self.blockLengths = blockLengths
            self.podsPerNode = podsPerNode
            self.today = today
            self.growth = growth
        }
    }

    /// Numbers of what takes addresses.
    public struct Amounts: Sendable, Hashable {
        /// Nodes.
        public var nodes: Double
        /// Pods with addresses of their own.
        public var pods: Double
        /// Services with cluster IPs.
        public var services: Double

        /// Describes amounts.
        public init(nodes: Double = 0, pods: Double = 0, services: Double = 0) {
            self.nodes = nodes
            self.pods = pods
            self.services = services
        }
    }

    /// One prefix for pods.
    public struct Fragment: Sendable, Hashable {
        /// The prefix.
        public let prefix: IPPrefix
        /// The blocks that it holds, without those that overlap a prefix for Services.
        public let blocks: UInt128
    }

    /// What fits in one family.
    public struct Family: Sendable, Hashable {
        /// The family.
        public let family: IPFamily
        /// The prefix length of a block.
        public let blockLength: Int
        /// The prefixes for pods.
        public let fragments: [Fragment]
        /// The blocks of all prefixes.
        public let blocks: UInt128
        /// The pods that get an address of one block.
        public let podsPerBlock: UInt128
        /// The blocks of a node that runs as many pods as it may.
        public let blocksPerNode: UInt128
        /// The nodes that fit when all run as many pods as they may.
        public let fullNodes: UInt128
        /// The pods that fit; on nodes of which all but the last are full.
        public let pods: UInt128
        /// The Services that fit.
        public let services: UInt128

        /// The nodes that fit with one block each.
        public var nodes: UInt128 { blocks }
    }

    /// The request.
    public let request: Request
    /// What fits in each family that the prefixes have, IPv4 first.
    public let families: [Family]
    /// What will be used up, the soonest first.
    public let limits: [Limit]

    /// Plans a cluster.
    public init(_ request: Request) throws(PlanError) {
        try Self.check(request)
        self.request = request
        let all = request.podPrefixes + request.servicePrefixes
        families = IPFamily.allCases.filter { family in all.contains { $0.family == family } }
            .map { Self.family($0, request) }
        limits = Self.limits(families, request)
    }

    private static func check(_ request: Request) throws(PlanError) {
        guard !request.podPrefixes.isEmpty else { throw PlanError(description: "no prefix for pods is given") }
        guard request.podsPerNode > 0 else { throw PlanError(description: "a node runs at least one pod") }
        for (purpose, prefixes) in [("pods", request.podPrefixes), ("Services", request.servicePrefixes)] {
            for (index, prefix) in prefixes.enumerated() {
                guard !prefix.holdsReservedAddresses else {
                    throw PlanError(
                        description:
                            "the prefix \(prefix) for \(purpose) holds loopback, link-local or multicast addresses")
                }
                if let other = prefixes[..<index].first(where: prefix.overlaps) {
                    throw PlanError(description: "the prefixes \(other) and \(prefix) for \(purpose) overlap")
                }
            }
        }
        for (family, length) in request.blockLengths where !(0...family.bitWidth - 2).contains(length) {
            throw PlanError(
                description: "a block of \(family) is between /0 and /\(family.bitWidth - 2), not /\(length)")
        }
        for (family, length) in request.blockLengths {
            let prefixes = request.podPrefixes.filter { $0.family == family }
            guard prefixes.isEmpty || prefixes.contains(where: { $0.length <= length }) else {
                throw PlanError(description: "no prefix for pods holds a block of \(family) of /\(length)")
            }
        }
    }

    private static func family(_ family: IPFamily, _ request: Request) -> Family {
        let length = request.blockLengths[family] ?? family.bitWidth - 2
        var allocator = BlockAllocator(excluding: request.servicePrefixes)
        let fragments = request.podPrefixes.filter { $0.family == family }.map { prefix in
            allocator.setPool(
                BlockPool(name: "plan", sources: [.init(prefix)], blockLengths: [family: length]))
            return Fragment(prefix: prefix, blocks: allocator.free(family, in: "plan"))
        }
        let blocks = fragments.reduce(UInt128(0)) { $0.saturatingAdd($1.blocks) }
        // The network's own address and the gateway's, in IPv4 the broadcast address too.
        let podsPerBlock = size(family.bitWidth - length) - (family == .ipv4 ? 3 : 2)
        let pods = UInt128(request.podsPerNode)
        let blocksPerNode = podsPerBlock == 0 ? 1 : (pods - 1) / podsPerBlock + 1
        let (full, rest) = blocks.quotientAndRemainder(dividingBy: blocksPerNode)
        let services = request.servicePrefixes.filter { $0.family == family }.reduce(UInt128(0)) {
            $0.saturatingAdd(usable($1))
        }
        return Family(
            family: family, blockLength: length, fragments: fragments, blocks: blocks, podsPerBlock: podsPerBlock,
            blocksPerNode: blocksPerNode, fullNodes: full,
            pods: full.saturatingMultiply(pods).saturatingAdd(min(pods, rest.saturatingMultiply(podsPerBlock))),
            services: services)
    }

    /// The cluster IPs that a prefix has: neither its first address nor, in IPv4, its last one.
    private static func usable(_ prefix: IPPrefix) -> UInt128 {
        let size = size(prefix.hostBits)
        let reserved: UInt128 = prefix.family == .ipv4 ? 2 : 1
        return size > reserved ? size - reserved : 0
    }

    private static func size(_ bits: Int) -> UInt128 { bits >= 128 ? .max : 1 << UInt128(bits) }
}

/// Why a cluster cannot be planned.
public struct PlanError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A sentence for people.
    public let description: String
}

extension UInt128 {
    /// The sum, or the greatest number where it is too large.
    func saturatingAdd(_ other: UInt128) -> UInt128 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// The product, or the greatest number where it is too large.
    func saturatingMultiply(_ other: UInt128) -> UInt128 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
