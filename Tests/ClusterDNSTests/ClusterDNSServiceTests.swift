import ClusterDNS
import DNSMessage
import DNSResolution
import DNSServing
import KubernetesAPI
import KubernetesClient
import Logging
import TestSupport
import Testing

@Suite(.enabled(if: Dig.isInstalled)) struct `The service` {
    @Test func `answers from its informers, on the addresses of its Service`() async throws {
        let client = try KubernetesClient(
            configuration: ClientConfiguration(serverURL: "http://127.0.0.1:1"), userAgent: "test")
        let services = Informer<KubernetesAPI.Service>(client: client)
        let slices = Informer<EndpointSlice>(client: client)
        let namespaces = Informer<Namespace>(client: client)
        let nodes = Informer<Node>(client: client)
        let networks = Informer<NodeNetwork>(client: client)
        let domain = try #require(DNSName("cluster.local"))
        var configuration = ClusterDNSConfiguration(zone: try #require(ZoneSettings(domain: domain)))
        configuration.server.port = 20536
        configuration.link = nil
        configuration.upstreams = []
        let dns = try ClusterDNSService(
            informers: ClusterDNSInformers(
                services: services, endpointSlices: slices, namespaces: namespaces, nodes: nodes, networks: networks,
                pods: nil, names: configuration.names), configuration: configuration, logger: Logger(label: "test"))
        let running = Task { try await dns.run() }

        services.store.replace(with: [
            Fixtures.service("kube-dns", namespace: "kube-system", ips: ["127.0.0.5", "::1"]),
            Fixtures.service("db", ips: ["None"]),
        ])
        slices.store.replace(with: [
            Fixtures.slice("db-4", of: "db", type: "IPv4", addresses: ["10.244.0.7"])
        ])
        #expect(try await eventually("10.244.0.7", "db.default.svc.cluster.local", "A", at: "127.0.0.5"))
        slices.store.put(Fixtures.slice("db-6", of: "db", type: "IPv6", addresses: ["fd00::7"]))
        #expect(try await eventually("fd00::7", "db.default.svc.cluster.local", "AAAA", at: "::1"))
        services.store.put(Fixtures.service("kube-dns", namespace: "kube-system", ips: ["127.0.0.6"]))
        #expect(try await eventually("10.244.0.7", "db.default.svc.cluster.local", "A", at: "127.0.0.6"))

        let missing = try Dig.ask("127.0.0.6", port: 20536, ["nope.default.svc.cluster.local"])
        #expect(missing.contains("SERVFAIL"), "not all resources are known, so nothing is denied")
        namespaces.store.replace(with: [])
        nodes.store.replace(with: [])
        networks.store.replace(with: [])
        #expect(
            try await eventually {
                try Dig.ask("127.0.0.6", port: 20536, ["nope.default.svc.cluster.local"]).contains("NXDOMAIN")
            })

        running.cancel()
        try await running.value
        await client.shutdown()
    }

    /// Whether dig gets the answer in time.
    private func eventually(_ answer: String, _ question: String..., at address: String) async throws -> Bool {
        try await eventually { try Dig.ask(address, port: 20536, ["+short"] + question) == answer }
    }

    /// Whether a condition holds within half a minute.
    private func eventually(_ condition: () throws -> Bool) async throws -> Bool {
        for _ in 0..<300 {
            if try condition() { return true }
            try await Task.sleep(for: .milliseconds(100))
        }
        return false
    }
}
