import Agent
import ArgumentParser
import ClusterDNS
import DNSServing
import KubernetesAPI
import KubernetesClient

/// `duet dns`: the cluster's names on one node, where the rest of the node's network is somebody else's affair.
struct DNSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dns", abstract: "Answer for the cluster's names, and for all others from their servers.")

    @Option(help: "Path of the kubeconfig to reach the API server with.")
    var kubeconfig: String

    @Option(help: "Name of the node, whose pods are told apart by their families.")
    var nodeName: String?

    @Option(help: "Link that gets the addresses of the DNS Service; \"none\" for addresses that are there already.")
    var dnsLink = "lo"

    @Option(help: "Port to answer on.")
    var dnsPort: UInt16 = 53

    @OptionGroup var names: DNSOptions

    func run() async throws {
        let logger = LogOutput.logger("dns")
        var configuration = try names.configuration(nodeName: nodeName)
        configuration.link = dnsLink == "none" ? nil : dnsLink
        configuration.server.port = dnsPort
        let client = try KubernetesClient(
            configuration: ClientConfiguration(kubeconfigPath: kubeconfig), userAgent: "duet-dns")
        let services = ClusterDNSInformers.services(client: client, logger: logger)
        let slices = ClusterDNSInformers.endpointSlices(configuration, client: client, logger: logger)
        let namespaces = Informer<Namespace>(client: client, logger: logger)
        let nodes = Informer<Node>(client: client, logger: logger)
        let networks = Informer<NodeNetwork>(client: client, isOptional: true, logger: logger)
        let informers = ClusterDNSInformers(
            services: services, endpointSlices: slices, namespaces: namespaces, nodes: nodes, networks: networks,
            pods: ClusterDNSInformers.pods(configuration, client: client, logger: logger))
        let dns = try ClusterDNSService(informers: informers, configuration: configuration, logger: logger)
        try await ServiceRunner.run(
            (informers.pods.map { [$0] } ?? []) + [FreeMemory(), services, slices, namespaces, nodes, networks, dns],
            logger: logger
        ) { await client.shutdown() }
    }
}
