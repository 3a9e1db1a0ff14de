import Agent
import ArgumentParser
import NodeTranslation

/// `duet agent`: the network of one node: routes, Services, names, translation.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Run one node's network: pod routes, Services, cluster DNS, NAT64.")

    @OptionGroup var common: NodeOptions
    @OptionGroup var services: ServiceOptions

    @OptionGroup var routing: RoutingOptions

    @OptionGroup var names: DNSOptions

    @OptionGroup var nat64: PodTranslationOptions

    func validate() throws { _ = try translation }

    private var translation: NodeTranslationOptions? {
        get throws { try nat64.options(dns64: try names.translationPrefixes) }
    }

    func run() async throws {
        let logger = LogOutput.logger("agent")
        let translation = try translation
        let agent = try NodeNetworkAgent(
            configuration: AgentConfiguration(
                kubeconfigPath: common.kubeconfig, routing: try routing.configuration(common),
                names: try names.configuration(nodeName: common.nodeName, translation: translation?.prefix),
                services: try services.proxyOptions, metricsPort: services.metricsPort, translation: translation),
            logger: logger)
        try await ServiceRunner.run([agent], logger: logger)
    }
}
