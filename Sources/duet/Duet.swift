import ArgumentParser

/// The `duet` command: a cluster on one machine, and the parts that every cluster is made of.
@main
struct Duet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "duet",
        abstract: "Dual-stack networking for Kubernetes.",
        discussion: "Start with `duet up`. The parts (server, node, agent) also start alone.",
        version: "0.1.0",
        subcommands: [
            Up.self, Down.self, Status.self, Kubeconfig.self, VerifyCommand.self, ServerCommand.self, NodeCommand.self,
            AgentCommand.self, DNSCommand.self, ExplainCommand.self, CleanupCommand.self, PlanCommand.self,
            NAT64Command.self, TranslatedEndpointsCommand.self,
        ])
}
