import ClusterDNS
import KubernetesAPI
import KubernetesClient
import Logging
import Testing

@Suite(.enabled(if: Dig.isInstalled)) struct `The service` {
    @Test func `answers from its informers, on the addresses of its Service`() async throws {
        let client = try KubernetesClient(
            configuration: ClientConfiguration(serverURL: "http://127.0.0.1:1"), userAgent: "test")
        let services = Informer<KubernetesAPI.Service>(client: client)
        let slices = Informer<EndpointSlice>(client: client)
        var configuration = try #require(ClusterDNSConfiguration())
        configuration.port = 20536
        configuration.link = nil
        let dns = try ClusterDNSService(
            services: services, endpointSlices: slices, configuration: configuration, logger: Logger(label: "test"))
        let running = Task { try await dns.run() }

        services.store.replace(with: [
            Fixtures.service("kube-dns", namespace: "kube-system", ips: ["127.0.0.5", "::1"]),
            Fixtures.service("db", ips: ["None"]),
        ])
        slices.store.replace(with: [
            Fixtures.slice("db-4", of: "db", type: "IPv4", endpoints: [("10.244.0.7", nil, true)])
        ])
        #expect(try await eventually("10.244.0.7", "db.default.svc.cluster.local", "A", at: "127.0.0.5"))
        slices.store.put(Fixtures.slice("db-6", of: "db", type: "IPv6", endpoints: [("fd00::7", nil, true)]))
        #expect(try await eventually("fd00::7", "db.default.svc.cluster.local", "AAAA", at: "::1"))
        services.store.put(Fixtures.service("kube-dns", namespace: "kube-system", ips: ["127.0.0.6"]))
        #expect(try await eventually("10.244.0.7", "db.default.svc.cluster.local", "A", at: "127.0.0.6"))

        running.cancel()
        try await running.value
        await client.shutdown()
    }

    /// Whether dig gets the answer within ten seconds.
    private func eventually(_ answer: String, _ question: String..., at address: String) async throws -> Bool {
        for _ in 0..<100 {
            if try Dig.ask(address, port: 20536, ["+short"] + question) == answer { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }
}
