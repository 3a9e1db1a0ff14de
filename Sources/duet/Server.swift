import APIServer
import Addresses
import ArgumentParser
import Controllers
import KubernetesClient
import Linux
import LocalCluster

/// `duet server [run]`: the embedded control plane: API and controllers.
struct Server: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the embedded control plane: API and controllers.")

    @Option(help: "Directory of the database, certificates and admin.kubeconfig.")
    var dataDir: String

    @Option(help: "Address to listen on; 0.0.0.0 is all of IPv4, :: is all of both families.")
    var bindAddress = "::"

    @Option(help: "Port to listen on.")
    var securePort = 6443

    @Option(help: "Addresses that clients reach the server at, primary family first (default: the machine's).")
    var advertiseAddress: String?

    @Option(help: "Ranges of Service addresses, one a family, primary family first.")
    var serviceClusterIpRange = "10.96.0.0/16,fd00:10:96::/112"

    @Option(help: "Ranges of node ports.")
    var serviceNodePortRange = "30000-32767"

    @Option(help: "Ranges that the nodes' pod blocks are cut from, one a family.")
    var clusterCidr = "10.244.0.0/16,fd00:10:244::/56"

    @Option(help: "Prefix length of a node's pod block, on a cluster of one family.")
    var nodeCidrMaskSize: Int?

    @Option(help: "Prefix length of a node's IPv4 pod block (default: 24).")
    var nodeCidrMaskSizeIpv4: Int?

    @Option(help: "Prefix length of a node's IPv6 pod block (default: 64).")
    var nodeCidrMaskSizeIpv6: Int?

    @Option(help: "Seconds for which a further pod block of a node must have been empty before it is taken back.")
    var nodeBlockReturn = 60

    @Option(
        help: """
            Family policy of new Services that name none, on a cluster of both families: SingleStack, \
            PreferDualStack or RequireDualStack.
            """)
    var defaultIpFamilyPolicy = "SingleStack"

    @Option(help: "File of bearer tokens: lines of token,user,uid,\"group,group\".")
    var tokenAuthFile: String?

    @Option(help: "Seconds after which an Event that is not written any more is removed; 0 keeps Events.")
    var eventTtl = 3600

    @OptionGroup(title: "Limits")
    var limits: LimitOptions

    @Flag(help: "Let all Services reach pods of the other family by translation; the agents need the same option.")
    var crossFamilyServices = false

    @Flag(help: "Run the API alone; the controllers run elsewhere.")
    var apiOnly = false

    func run() async throws {
        let services = try ClusterSpec.prefixes(parsing: serviceClusterIpRange, option: "--service-cluster-ip-range")
        let pods =
            clusterCidr.isEmpty ? [] : try ClusterSpec.prefixes(parsing: clusterCidr, option: "--cluster-cidr")
        let logger = LogOutput.logger("server")
        let masks = [IPFamily.ipv4: nodeCidrMaskSizeIpv4, .ipv6: nodeCidrMaskSizeIpv6].compactMapValues { $0 }
        let maskSizes = try ControllerConfiguration.maskSizes(size: nodeCidrMaskSize, sizes: masks, for: pods)
        guard let familyPolicy = APIServerConfiguration.FamilyPolicy(rawValue: defaultIpFamilyPolicy) else {
            let known = APIServerConfiguration.FamilyPolicy.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--default-ip-family-policy: \"\(defaultIpFamilyPolicy)\" is none of \(known)")
        }
        var configuration = APIServerConfiguration(
            dataDirectory: dataDir, bindAddress: bindAddress, securePort: securePort,
            advertiseAddresses: try advertised(primary: services.first?.family),
            serviceClusterIPRanges: services, serviceNodePortRange: try nodePorts(),
            tokenAuthFile: tokenAuthFile)
        configuration.defaultIPFamilyPolicy = familyPolicy
        configuration.eventTTL = eventTtl
        configuration.limits = limits.limits
        let server = try await APIServer(configuration: configuration, logger: logger)
        if apiOnly {
            try await ServiceRunner.run([server], logger: logger)
            return
        }
        let client = try KubernetesClient(
            configuration: ClientConfiguration(kubeconfigPath: try writeControllersKubeconfig()),
            userAgent: "duet-controllers")
        let controllers = try ControllerManager(
            client: client,
            configuration: ControllerConfiguration(
                clusterCIDRs: pods, serviceClusterIPRanges: services,
                nodeCIDRMaskSizes: maskSizes, blockReturnSeconds: nodeBlockReturn,
                translatesAllServices: crossFamilyServices),
            logger: logger)
        try await ServiceRunner.run([server, controllers], logger: logger) { await client.shutdown() }
    }

    /// Writes the kubeconfig by which the controllers reach the API in the same process; returns its path.
    private func writeControllersKubeconfig() throws -> String {
        let address: IPAddress
        switch IPAddress(bindAddress) {
        case let bound? where !bound.isUnspecified: address = bound
        // A host that does without IPv6 has no ::1, and sockets of all addresses take IPv4 as well.
        case .v6? where (try? Sysctl.get("net/ipv6/conf/lo/disable_ipv6")) == "0": address = .loopback(.ipv6)
        default: address = .loopback(.ipv4)
        }
        let kubeconfig = try ClusterPKI(dataDirectory: dataDir).issueKubeconfig(
            user: ClusterPKI.controllers, groups: [],
            serverURL: "https://\(address.uriHost):\(securePort)")
        let path = "\(dataDir)/controllers.kubeconfig"
        try FileSystem.writeFileAtomically(path, Array(kubeconfig.utf8), mode: 0o600)
        return path
    }

    private func advertised(primary: IPFamily?) throws -> [IPAddress] {
        guard let advertiseAddress else { return try HostAddresses.global(primary: primary) }
        return try Arguments.addresses(parsing: advertiseAddress, option: "--advertise-address")
    }

    private func nodePorts() throws -> ClosedRange<Int> {
        let ends = serviceNodePortRange.split(separator: "-").compactMap { Int($0) }
        guard ends.count == 2, ends[0] <= ends[1], ends[0] > 0, ends[1] < 65536 else {
            throw ValidationError(
                "--service-node-port-range: \"\(serviceNodePortRange)\" is no range such as 30000-32767")
        }
        return ends[0]...ends[1]
    }
}
