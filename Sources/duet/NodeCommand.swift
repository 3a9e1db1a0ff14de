import ArgumentParser
import PodRuntime

/// `duet node`: runs the pods of one node.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Run one node's pods through a container runtime.")

    @OptionGroup var common: NodeOptions

    @Option(
        help: """
            Addresses of the node, primary family first (default: those of the default routes' interface, IPv4 first; \
            with "::" IPv6 first).
            """)
    var nodeIp: String?

    @Option(help: "Socket of the container runtime.")
    var containerRuntimeEndpoint = "unix:///run/containerd/containerd.sock"

    @Option(help: "Directory of pod volumes and logs.")
    var rootDir = "/var/lib/duet-node"

    @Option(help: "Control group that holds the pods' control groups.")
    var cgroupRoot = "/duet"

    @Option(help: "Port of the node's own API.")
    var port = 10250

    func run() async throws {
        let logger = LogOutput.logger("node")
        let node = try PodNode(
            configuration: NodeConfiguration(
                nodeName: common.nodeName, kubeconfigPath: common.kubeconfig,
                criEndpoint: containerRuntimeEndpoint, cniConfDir: common.cniConfDir, cniBinDir: common.cniBinDir,
                rootDirectory: rootDir,
                nodeAddresses: try nodeIp.map { try Arguments.addresses(parsing: $0, option: "--node-ip") } ?? [],
                port: port, cgroupParent: cgroupRoot),
            logger: logger)
        try await ServiceRunner.run([node], logger: logger)
    }
}
