import Agent
import ArgumentParser

/// `duet agent`: the network of one node: routes, Services, names.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Run one node's network: pod routes, Services, cluster DNS.")

    @OptionGroup var common: NodeOptions
    @OptionGroup var services: ServiceOptions

    @OptionGroup var routing: RoutingOptions

    @OptionGroup var names: DNSOptions

    func run() async throws {
        let logger = LogOutput.logger("agent")
        let agent = try NodeNetworkAgent(
            configuration: AgentConfiguration(
                kubeconfigPath: common.kubeconfig, routing: try routing.configuration(common),
                names: try names.configuration(nodeName: common.nodeName),
                services: try services.proxyOptions),
            logger: logger)
        try await ServiceRunner.run([agent], logger: logger)
    }
}
