import APIServer
import Addresses
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import TestSupport
import Testing

@Suite struct InformerRestartTests {
    /// Runs a server on a directory until `body` returns.
    static func withServer(_ directory: String, port: Int, _ body: @escaping @Sendable () async throws -> Void)
        async throws
    {
        var logger = Logger(label: "test")
        logger.logLevel = .error
        let server = try await APIServer(
            configuration: APIServerConfiguration(
                dataDirectory: directory, bindAddress: "::", securePort: port,
                advertiseAddresses: ["127.0.0.1"].compactMap { IPAddress($0) },
                serviceClusterIPRanges: ["10.96.0.0/16"].compactMap { IPPrefix($0) }), logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            #expect(await server.waitUntilListening())
            try await body()
            group.cancelAll()
            while let result = await group.nextResult() {
                if case .failure(let error) = result, !(error is CancellationError) {
                    Issue.record("\(error)")
                }
            }
        }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["127.0.0.1", "[::1]", "localhost"])
    func `A client reaches the server by address of either family and by name`(host: String) async throws {
        let directory = NSTemporaryDirectory() + "dt-controllers-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let port = FreePort.next()
        try await Self.withServer(directory, port: port) {
            var configuration = try ClientConfiguration(kubeconfigPath: directory + "/admin.kubeconfig")
            configuration.serverURL = "https://\(host):\(port)"
            let client = try KubernetesClient(configuration: configuration, userAgent: "test")
            let namespaces = try await client.list(Namespace.self).items
            #expect(namespaces.contains { $0.name == "default" })
            await client.shutdown()
        }
    }

    @Test(.timeLimit(.minutes(1))) func `An informer goes on by itself when the server comes back`() async throws {
        let directory = NSTemporaryDirectory() + "dt-controllers-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let port = FreePort.next()
        let path = directory + "/admin.kubeconfig"
        try await Self.withServer(directory, port: port) {}
        let client = try KubernetesClient(
            configuration: ClientConfiguration(kubeconfigPath: path), userAgent: "test")
        let informer = Informer<ConfigMap>(client: client, namespace: "default")
        let following = Task { try await informer.run() }
        let plane = ControlPlane(client: client)
        for round in 0..<3 {
            try await Self.withServer(directory, port: port) {
                let start = ContinuousClock.now
                let name = "m\(round)"
                try await client.create(ConfigMap(metadata: ObjectMeta(name: name, namespace: "default")))
                try await plane.eventually("the informer knows \(name)", within: .seconds(60)) {
                    informer.store.get("default", name) != nil
                }
                #expect(start.duration(to: .now) < .seconds(20))
                if round > 0 {
                    try await client.delete(ConfigMap.self, namespace: "default", name: "m\(round - 1)")
                    try await plane.eventually("the informer has forgotten the last one") {
                        informer.store.get("default", "m\(round - 1)") == nil
                    }
                }
            }
        }
        following.cancel()
        _ = try? await following.value
        await client.shutdown()
    }

    @Test(.timeLimit(.minutes(1)))
    func `A resource that the server does not know has no objects, where it may be missing`() async throws {
        let directory = NSTemporaryDirectory() + "dt-controllers-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let port = FreePort.next()
        try await Self.withServer(directory, port: port) {
            var configuration = try ClientConfiguration(kubeconfigPath: directory + "/admin.kubeconfig")
            configuration.serverURL = "https://127.0.0.1:\(port)/nowhere"
            let client = try KubernetesClient(configuration: configuration, userAgent: "test")
            let informers = [false, true].map { Informer<Namespace>(client: client, isOptional: $0) }
            let following = informers.map { informer in Task { try await informer.run() } }
            await informers[1].waitForSync()
            #expect(informers[1].store.list().isEmpty)
            #expect(!informers[0].store.isSynced)
            for task in following {
                task.cancel()
                _ = try? await task.value
            }
            await client.shutdown()
        }
    }
}
