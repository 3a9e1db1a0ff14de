public import Addresses

/// What a local cluster shall be: its nodes, its families in order, and its address ranges.
///
/// Pure: nothing here looks at the machine. Ranges are listed in the order of `families`, one of each family; of pods' ranges
/// there may be several.
public struct ClusterSpec: Codable, Hashable, Sendable {
    /// Names of the nodes, in order: `node-1`, `node-2`, ….
    public let nodes: [String]
    /// The cluster's families; the first is the primary one.
    public let families: [IPFamily]
    /// Ranges that the nodes' pod blocks are cut from.
    public let podRanges: [IPPrefix]
    /// Ranges of cluster IPs.
    public let serviceRanges: [IPPrefix]
    /// Ranges of the bridge between the host and the nodes.
    public let underlayRanges: [IPPrefix]
    /// Port of the API server.
    public let securePort: Int
    /// Prefix lengths of a node's pod blocks in the order of `families`; `nil` leaves them at their defaults.
    public let blockLengths: [Int]?
    /// Options of every node's `duet agent` besides those of the node; `nil` for none.
    public let agentOptions: [String]?
    /// Whether calls of Services are led at connect time.
    public var connectTimeBalancing: Bool { wantsConnectTime ?? false }
    /// Nil in what a `duet` wrote that did not know of it.
    private let wantsConnectTime: Bool?
    /// Whether all Services reach pods of the other family by translation, but those that refuse it.
    public var crossFamilyServices: Bool { wantsCrossFamily ?? false }
    private let wantsCrossFamily: Bool?

    /// Checks the wishes and completes them with defaults.
    ///
    /// - Parameters:
    ///   - nodeCount: number of nodes, 1 to 64.
    ///   - families: one family, or two different ones, primary first.
    ///   - podRanges: one or several ranges a family, in any order; empty for the defaults.
    ///   - serviceRanges: one range a family, in any order; empty for the defaults.
    ///   - underlayRanges: likewise.
    ///   - securePort: 1 to 65535.
    ///   - blockLengths: prefix lengths of a node's pod blocks where they are not the default.
    ///   - agentOptions: options of every node's agent.
    ///   - connectTimeBalancing: whether calls of Services are led at connect time.
    ///   - crossFamilyServices: whether all Services reach pods of the other family.
    public init(
        nodeCount: Int, families: [IPFamily], podRanges: [IPPrefix] = [], serviceRanges: [IPPrefix] = [],
        underlayRanges: [IPPrefix] = [], securePort: Int = Self.defaultSecurePort, blockLengths: [IPFamily: Int] = [:],
        agentOptions: [String] = [], connectTimeBalancing: Bool = false, crossFamilyServices: Bool = false
    ) throws(LocalClusterError) {
        guard (1...Self.maximumNodeCount).contains(nodeCount) else {
            throw LocalClusterError(
                "\(nodeCount) nodes asked for", remedy: "Give --nodes 1 to \(Self.maximumNodeCount).")
        }
        guard (1...65535).contains(securePort) else {
            throw LocalClusterError("\(securePort) is no port", remedy: "Give --secure-port 1 to 65535.")
        }
        guard !families.isEmpty, Set(families).count == families.count else {
            throw LocalClusterError(
                "a cluster has one family or two different ones",
                remedy: "Give --families ipv4,ipv6, ipv6,ipv4, ipv4 or ipv6.")
        }
        self.nodes = (1...nodeCount).map { "node-\($0)" }
        self.families = families
        self.securePort = securePort
        wantsConnectTime = connectTimeBalancing
        wantsCrossFamily = crossFamilyServices
        self.podRanges = try Self.ordered(
            podRanges, families, default: Defaults.pods, option: "--cluster-cidr", atMost: .max)
        self.serviceRanges = try Self.ordered(
            serviceRanges, families, default: Defaults.services, option: "--service-cluster-ip-range")
        self.underlayRanges = try Self.ordered(
            underlayRanges, families, default: Defaults.underlay, option: "--underlay-cidr")
        let lengths = Defaults.nodeBlockLength.merging(blockLengths) { _, given in given }
        self.blockLengths = blockLengths.isEmpty ? nil : families.map { lengths[$0] ?? $0.bitWidth }
        self.agentOptions = agentOptions.isEmpty ? nil : agentOptions
        try checkBlocks()
        try checkSizes()
        try checkOverlaps()
    }

    /// Port of the API server of a cluster whose user names none.
    public static let defaultSecurePort = 6443

    /// Most nodes that a cluster on one machine may have.
    public static let maximumNodeCount = 64

    /// The prefix length of a node's pod block of a family.
    public func nodeBlockLength(_ family: IPFamily) -> Int {
        if let blockLengths, let index = families.firstIndex(of: family) { return blockLengths[index] }
        return Defaults.nodeBlockLength[family] ?? family.bitWidth
    }

    /// Whether nodes' blocks come from a pool that is written into the API, and not from the server's flags, which know one
    /// range a family.
    var needsPool: Bool {
        podRanges.count > families.count || blockLengths != nil
    }
}

extension ClusterSpec {
    /// Parses `ipv4`, `ipv6`, `ipv4,ipv6` or `ipv6,ipv4`.
    public static func families(parsing text: String) throws(LocalClusterError) -> [IPFamily] {
        var families: [IPFamily] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let family = IPFamily.allCases.first(where: { $0.name.lowercased() == name.lowercased() }) else {
                throw LocalClusterError(
                    "unknown family \"\(name)\" in --families \(text)",
                    remedy: "Families are ipv4 and ipv6, separated by a comma, the primary one first.")
            }
            families.append(family)
        }
        return families
    }

    /// Parses a comma-separated list of prefixes given for `option`.
    public static func prefixes(parsing text: String, option: String) throws(LocalClusterError) -> [IPPrefix] {
        var prefixes: [IPPrefix] = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let prefix = IPPrefix(String(item)) else {
                throw LocalClusterError(
                    "\(option): \"\(item)\" is no prefix",
                    remedy: "Write an address and a length, with no bits set beyond the length: 10.244.0.0/16.")
            }
            prefixes.append(prefix)
        }
        return prefixes
    }

    private static func ordered(
        _ given: [IPPrefix], _ families: [IPFamily], default defaults: [IPFamily: IPPrefix], option: String,
        atMost limit: Int = 1
    ) throws(LocalClusterError) -> [IPPrefix] {
        var ranges: [IPPrefix] = []
        for family in families {
            let ofFamily = given.isEmpty ? defaults[family].map { [$0] } ?? [] : given.filter { $0.family == family }
            guard (1...limit).contains(ofFamily.count) else {
                throw LocalClusterError(
                    "\(option) has \(ofFamily.count) ranges of \(family.name)",
                    remedy: "Give \(limit == 1 ? "exactly" : "at least") one range for each family of the cluster.")
            }
            ranges += ofFamily
        }
        guard given.allSatisfy({ families.contains($0.family) }) else {
            throw LocalClusterError(
                "\(option) has a range of a family that --families leaves out",
                remedy: "Leave the range out, or add its family.")
        }
        return ranges
    }

    private func checkBlocks() throws(LocalClusterError) {
        for family in families {
            let (block, longest) = (nodeBlockLength(family), family.bitWidth - 2)
            guard (1...longest).contains(block) else {
                throw LocalClusterError(
                    "blocks of /\(block) hold no pods of \(family.name)",
                    remedy: "Give --node-cidr-mask-size-\(family.name.lowercased()) \(longest) or less.")
            }
        }
    }

    private func checkSizes() throws(LocalClusterError) {
        for family in families {
            let block = nodeBlockLength(family)
            let ranges = podRanges.filter { $0.family == family }
            // A range that is smaller than a block gives none.
            let blocks = ranges.map { $0.length > block ? 0 : UInt64(1) << min(62, block - $0.length) }
            guard blocks.contains(where: { $0 >= UInt64(nodes.count) }) || blocks.reduce(0, +) >= UInt64(nodes.count)
            else {
                let list = ranges.map(\.description).joined(separator: ",")
                throw LocalClusterError(
                    "the pod range \(list) is too small: \(nodes.count) nodes take a /\(block) each",
                    remedy: "Give a larger --cluster-cidr.")
            }
        }
        for range in podRanges where !needsPool && range.family == .ipv6 {
            let block = nodeBlockLength(range.family)
            guard block - range.length <= 16 else {
                throw LocalClusterError(
                    "the pod range \(range) is too large to be cut into /\(block) blocks",
                    remedy: "Give a --cluster-cidr of /\(block - 16) or longer.")
            }
        }
        for range in serviceRanges where range.hostBits < 5 {
            throw LocalClusterError(
                "the Service range \(range) is too small",
                remedy: "The cluster DNS takes its 10th address: give a /\(range.family.bitWidth - 5) or shorter.")
        }
        // The first address is the host's, then one a node; the last may be a broadcast address.
        for range in underlayRanges where range.hostBits < 64 && UInt64(1) << range.hostBits < UInt64(nodes.count + 3) {
            throw LocalClusterError(
                "the underlay range \(range) is too small for \(nodes.count) nodes and the host",
                remedy: "Give a larger --underlay-cidr.")
        }
    }

    private func checkOverlaps() throws(LocalClusterError) {
        let all = namedRanges
        for (index, one) in all.enumerated() {
            for other in all[(index + 1)...] where one.range.overlaps(other.range) {
                throw LocalClusterError(
                    "the \(one.purpose) range \(one.range) overlaps the \(other.purpose) range \(other.range)",
                    remedy: "Choose ranges that are apart.")
            }
        }
    }

    /// Every range with what it is for.
    var namedRanges: [(purpose: String, option: String, range: IPPrefix)] {
        podRanges.map { ("pod", "--cluster-cidr", $0) }
            + serviceRanges.map { ("Service", "--service-cluster-ip-range", $0) }
            + underlayRanges.map { ("underlay", "--underlay-cidr", $0) }
    }
}

/// Ranges for a cluster whose user names none.
private enum Defaults {
    static let pods = table("10.244.0.0/16", "fd00:10:244::/56")
    static let services = table("10.96.0.0/16", "fd00:10:96::/112")
    static let underlay = table("172.30.0.0/24", "fd00:172:30::/64")
    static let nodeBlockLength: [IPFamily: Int] = [.ipv4: 24, .ipv6: 64]

    private static func table(_ prefixes: String...) -> [IPFamily: IPPrefix] {
        Dictionary(prefixes.compactMap { IPPrefix($0) }.map { ($0.family, $0) }) { first, _ in first }
    }
}
