import Addresses
import ArgumentParser
import LocalCluster

/// `duet up`: makes a cluster of network namespaces on this machine, or completes the one that stands.
struct Up: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring up a cluster on this machine, or complete the one that stands.")

    @Option(help: "Number of nodes.")
    var nodes = 2

    @Option(help: "Families of the cluster, the primary one first: ipv4,ipv6, ipv6,ipv4, ipv4 or ipv6.")
    var families = "ipv4,ipv6"

    @Option(help: "Ranges that the nodes' pod blocks are cut from, one or several a family.")
    var clusterCidr: String?

    @Option(help: "Prefix length of a node's IPv4 pod block (default: 24).")
    var nodeCidrMaskSizeIpv4: Int?

    @Option(help: "Prefix length of a node's IPv6 pod block (default: 64).")
    var nodeCidrMaskSizeIpv6: Int?

    @Option(help: "Ranges of Service addresses, one a family.")
    var serviceClusterIpRange: String?

    @Option(help: "Ranges of the bridge between host and nodes, one a family.")
    var underlayCidr: String?

    @Option(help: "Port of the API server.")
    var securePort = ClusterSpec.defaultSecurePort

    @Flag(help: "Lead calls of Services to endpoints while they are made, see `duet agent`.")
    var connectTimeBalancing = false

    @Flag(help: "Let all Services reach pods of the other family but those that refuse it, see `duet agent`.")
    var crossFamilyServices = false

    @Option(help: "Directory of image archives to load into each node; it holds the sandbox image.")
    var imageDir: String?

    @OptionGroup var way: PodWayOptions

    @OptionGroup var nat64: PodTranslationOptions

    func run() async throws {
        let lengths = [IPFamily.ipv4: nodeCidrMaskSizeIpv4, .ipv6: nodeCidrMaskSizeIpv6].compactMapValues { $0 }
        let spec = try ClusterSpec(
            nodeCount: nodes, families: ClusterSpec.families(parsing: families),
            podRanges: prefixes(clusterCidr, "--cluster-cidr"),
            serviceRanges: prefixes(serviceClusterIpRange, "--service-cluster-ip-range"),
            underlayRanges: prefixes(underlayCidr, "--underlay-cidr"), securePort: securePort,
            blockLengths: lengths, agentOptions: way.arguments + nat64.arguments,
            connectTimeBalancing: connectTimeBalancing, crossFamilyServices: crossFamilyServices)
        let cluster = try LocalCluster(imageDirectory: imageDir)
        try await cluster.up(spec)
        print(cluster.nextSteps)
    }

    private func prefixes(_ text: String?, _ option: String) throws -> [IPPrefix] {
        try text.map { try ClusterSpec.prefixes(parsing: $0, option: option) } ?? []
    }
}
