public import Addresses

/// What the controllers need to know about the cluster.
public struct ControllerConfiguration: Sendable {
    /// Ranges from which nodes get their blocks for pods, at most one of each family.
    public var clusterCIDRs: [IPPrefix]
    /// Ranges of the Services' virtual addresses; blocks never overlap them.
    public var serviceClusterIPRanges: [IPPrefix]
    /// Length of a node's block by family.
    public var nodeCIDRMaskSizes: [IPFamily: Int]
    /// Seconds without a renewal of its lease after which a node counts as lost.
    public var nodeGracePeriodSeconds: Int
    /// Seconds for which a further block of a node must have been empty before it is taken back.
    public var blockReturnSeconds: Int
    /// Whether all Services reach pods of the other family by translation, but those that refuse it.
    public var translatesAllServices: Bool

    /// Block lengths when none are given: /24 and /64.
    public static let defaultNodeCIDRMaskSizes: [IPFamily: Int] = [.ipv4: 24, .ipv6: 64]

    /// Creates a configuration; it is checked when the controllers start.
    public init(
        clusterCIDRs: [IPPrefix], serviceClusterIPRanges: [IPPrefix],
        nodeCIDRMaskSizes: [IPFamily: Int] = ControllerConfiguration.defaultNodeCIDRMaskSizes,
        nodeGracePeriodSeconds: Int = 40, blockReturnSeconds: Int = 60,
        translatesAllServices: Bool = false
    ) {
        self.clusterCIDRs = clusterCIDRs
        self.serviceClusterIPRanges = serviceClusterIPRanges
        self.nodeCIDRMaskSizes = nodeCIDRMaskSizes
        self.nodeGracePeriodSeconds = nodeGracePeriodSeconds
        self.blockReturnSeconds = blockReturnSeconds
        self.translatesAllServices = translatesAllServices
    }

    /// The block lengths that flags ask for, checked as kube-controller-manager does, in its words.
    ///
    /// - Parameters:
    ///   - size: `--node-cidr-mask-size`, for clusters of one family.
    ///   - sizes: `--node-cidr-mask-size-ipv4` and `--node-cidr-mask-size-ipv6`, as far as they are given.
    public static func maskSizes(
        size: Int?, sizes: [IPFamily: Int], for clusterCIDRs: [IPPrefix]
    ) throws(ControllerConfigurationError) -> [IPFamily: Int] {
        let flag = "--node-cidr-mask-size"
        guard let family = clusterCIDRs.first?.family else { return defaultNodeCIDRMaskSizes }
        if let size {
            if clusterCIDRs.count > 1 {
                throw ControllerConfigurationError(
                    description: "usage of \(flag) is not allowed with dual-stack clusters")
            }
            if !sizes.isEmpty {
                throw ControllerConfigurationError(
                    description:
                        "usage of \(flag)-ipv4 and \(flag)-ipv6 is not allowed if \(flag) is set. For dual-stack clusters please unset it and use IPFamily specific flags"
                )
            }
            return [family: size]
        }
        if clusterCIDRs.count == 1, sizes[family.other] != nil {
            throw ControllerConfigurationError(
                description:
                    "usage of \(flag)-\(family.other.name.lowercased()) is not allowed for a single-stack \(family.name) cluster"
            )
        }
        return defaultNodeCIDRMaskSizes.merging(sizes) { $1 }
    }

    /// Checks ranges and block lengths as kube-controller-manager does, in its words.
    package func validate() throws(ControllerConfigurationError) {
        if clusterCIDRs.count > 2 {
            throw ControllerConfigurationError(
                description: "length of clusterCIDRs is:\(clusterCIDRs.count) more than max allowed of 2")
        }
        for (name, ranges) in [("ClusterCIDRs", clusterCIDRs), ("service ranges", serviceClusterIPRanges)]
        where ranges.count > 1 && Set(ranges.map(\.family)).count != ranges.count {
            throw ControllerConfigurationError(
                description:
                    "len of \(name)==\(ranges.count) and they are not configured as dual stack (at least one from each IPFamily)"
            )
        }
        for range in clusterCIDRs {
            let length = blockLength(of: range.family)
            guard length >= range.length, length <= range.family.bitWidth else {
                throw ControllerConfigurationError(
                    description:
                        "controller: Invalid --cluster-cidr \(range), mask size of cluster CIDR must be less than or equal to --node-cidr-mask-size configured for CIDR family"
                )
            }
            // 2^16 nodes are more than any cluster has; larger differences are a slip of the pen.
            guard range.family == .ipv4 || length - range.length <= 16 else {
                throw ControllerConfigurationError(
                    description:
                        "New CIDR set failed; the node CIDR size is too big: \(range) would hold 2^\(length - range.length) blocks of /\(length), at most 2^16 are possible"
                )
            }
        }
    }

    func blockLength(of family: IPFamily) -> Int {
        nodeCIDRMaskSizes[family] ?? Self.defaultNodeCIDRMaskSizes[family] ?? family.bitWidth
    }
}

/// A configuration with which the controllers cannot start, and why.
public struct ControllerConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong with it.
    public let description: String
}
