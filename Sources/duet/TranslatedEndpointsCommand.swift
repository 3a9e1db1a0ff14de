import ArgumentParser
import Controllers
import KubernetesClient

/// `duet translated-endpoints`: endpoints for translation, where the control plane is not Duet's.
struct TranslatedEndpointsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "translated-endpoints",
        abstract: "Publish the pods that Services reach by translation, beside another control plane's controllers.",
        discussion: """
            `duet server` does so itself. It lists and watches Services, namespaces, pods, nodes and EndpointSlices,
            and writes EndpointSlices that nobody but Duet's proxies takes for a Service's.
            """)

    @Option(help: "Path of the kubeconfig to reach the API server with.")
    var kubeconfig: String

    @Flag(help: "For all Services but those that refuse it; the agents need the same option.")
    var crossFamilyServices = false

    func run() async throws {
        let logger = LogOutput.logger("translated-endpoints")
        let client = try KubernetesClient(
            configuration: ClientConfiguration(kubeconfigPath: kubeconfig), userAgent: "duet-translated-endpoints")
        let endpoints = TranslatedEndpoints(client: client, includesAll: crossFamilyServices, logger: logger)
        try await ServiceRunner.run([endpoints], logger: logger) { await client.shutdown() }
    }
}
