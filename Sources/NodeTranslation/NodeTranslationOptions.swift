public import Addresses
internal import PodRouting

/// How a node's agent translates for the node's IPv6-only pods.
public struct NodeTranslationOptions: Hashable, Sendable {
    /// Which translator packets go through.
    public enum Path: String, Hashable, Sendable, CaseIterable {
        /// The kernel's where eBPF may run, otherwise that of userspace.
        case auto
        /// The kernel's, with userspace for what it leaves; an error where eBPF may not run.
        case kernel
        /// That of userspace alone.
        case userspace
    }

    /// Which translator packets go through.
    public var path: Path
    /// What IPv4 addresses are embedded in; names are answered with it, too.
    public var prefix: TranslationPrefix
    /// The IPv4 range that pods get private addresses of, which mean something on their node alone.
    public var podRange: IPPrefix
    /// Whether pods are translated for that no annotation says anything about.
    public var translatesUnlessDisabled: Bool
    /// Whether pods that are translated for have a CLAT where no annotation says anything of one.
    public var givesCLATUnlessDisabled: Bool
    /// IPv4 networks that pods may be translated to although they are special or the cluster's.
    public var allowed: [IPPrefix]
    /// IPv4 networks whose addresses, where this node has them, pods are seen as.
    public var egress: [IPPrefix]
    /// The IPv4 range of the addresses that stand for nodes at gateways, which other nodes' packets leave by.
    public var gatewayRange: IPPrefix
    /// Whether the node itself is translated for, and pods that share its network.
    public var translatesNode: Bool

    /// The range of private addresses unless another one is wanted: a part of the shared address space (RFC 6598).
    public static let defaultPodRange = IPPrefix(.v4(IPv4Address(rawValue: 0x647F_0000)), length: 16)

    /// The range of nodes' addresses at gateways unless another one is wanted: a part of the shared address space, too.
    public static let defaultGatewayRange = TranslationGateways.defaultRange

    /// The longest range: a network's own address, the translator's and the broadcast address are no pod's.
    static let maximumRangeLength = 29

    /// Options.
    ///
    /// - Returns: nil when a range is none of IPv4 with at least eight addresses, both overlap, or a network is not of IPv4.
    public init?(
        path: Path = .auto, prefix: TranslationPrefix = .wellKnown, podRange: IPPrefix = defaultPodRange,
        translatesUnlessDisabled: Bool = true, givesCLATUnlessDisabled: Bool = false, allowed: [IPPrefix] = [],
        egress: [IPPrefix] = [], gatewayRange: IPPrefix = defaultGatewayRange, translatesNode: Bool = false
    ) {
        guard
            [podRange, gatewayRange].allSatisfy({ $0.family == .ipv4 && $0.length <= Self.maximumRangeLength }),
            !podRange.overlaps(gatewayRange), (allowed + egress).allSatisfy({ $0.family == .ipv4 })
        else { return nil }
        self.path = path
        self.prefix = prefix
        self.podRange = podRange
        self.translatesUnlessDisabled = translatesUnlessDisabled
        self.givesCLATUnlessDisabled = givesCLATUnlessDisabled
        self.allowed = allowed
        self.egress = egress
        self.gatewayRange = gatewayRange
        self.translatesNode = translatesNode
    }
}

extension NodeTranslationOptions {
    /// Whose packets the table is about.
    var ranges: TranslationTable.Ranges { TranslationTable.Ranges(pods: podRange, nodes: gatewayRange) }
}
