import ArgumentParser
import KubernetesClient
import LocalCluster
import Verify

/// `duet verify`: live requests to every Service on each of its families.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Prove with live requests that every Service of a namespace answers on each of its families.")

    @Option(help: "Kubeconfig of the cluster (default: the local cluster's administrator).")
    var kubeconfig: String?

    @Option(name: [.short, .long], help: "Namespace whose Services are asked.")
    var namespace = "web"

    func run() async throws {
        let path = try kubeconfig ?? LocalCluster().adminKubeconfig()
        let client = try KubernetesClient(
            configuration: ClientConfiguration(kubeconfigPath: path), userAgent: "duet-verify")
        var configuration = ConnectivityMatrix.Configuration()
        configuration.namespaces = [namespace]
        configuration.clientNamespace = namespace
        let matrix = ConnectivityMatrix(client: client, configuration: configuration)
        let results: [ProbeResult]
        do {
            results = try await matrix.run()
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
        guard !results.isEmpty else {
            throw LocalClusterError(
                "the namespace \(namespace) has no Service that could be asked",
                remedy: "Name another one with --namespace.")
        }
        let table = ProbeTable(results)
        print(table.text)
        guard table.allAnswered else { throw ExitCode.failure }
    }
}
