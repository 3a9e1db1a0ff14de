import Addresses
import KubernetesAPI
import Testing
import Verify

/// Not the probe of a container.
private typealias Probe = Verify.Probe

@Suite("Probe plan")
struct ProbePlanTests {
    private func service(
        _ name: String, type: String = "ClusterIP", clusterIPs: [String], families: [String] = ["IPv4", "IPv6"],
        ports: [ServicePort]
    ) -> Service {
        Service(
            metadata: ObjectMeta(name: name, namespace: "web"),
            spec: ServiceSpec(type: type, ports: ports, clusterIPs: clusterIPs, ipFamilies: families))
    }

    private func slice(_ service: String, _ family: IPFamily, ready: [String], notReady: [String] = []) -> EndpointSlice
    {
        EndpointSlice(
            metadata: ObjectMeta(
                name: "\(service)-\(family.name)", namespace: "web", labels: [WellKnownLabel.serviceName: service]),
            addressType: family.name,
            endpoints: ready.map { Endpoint(addresses: [$0]) }
                + notReady.map { Endpoint(addresses: [$0], conditions: EndpointConditions(ready: false)) },
            ports: [EndpointPort(name: "http", port: 8080)])
    }

    private func client(_ name: String, on node: String, ready: Bool = true) -> Pod {
        Pod(
            metadata: ObjectMeta(name: name, namespace: "web"),
            spec: PodSpec(containers: [Container(name: "client")], nodeName: node),
            status: PodStatus(conditions: [Condition(type: "Ready", status: ready ? "True" : "False")]))
    }

    private let nodes = ["node-1", "node-2"].enumerated().map { index, name in
        Node(
            metadata: ObjectMeta(name: name),
            status: NodeStatus(addresses: [
                NodeAddress(type: "InternalIP", address: "172.30.0.\(index + 1)"),
                NodeAddress(type: "InternalIP", address: "fd00:172:30::\(index + 1)"),
                NodeAddress(type: "Hostname", address: name),
            ]))
    }

    private func plan(_ services: [Service], slices: [EndpointSlice] = [], clients: [Pod] = []) -> [Probe] {
        ProbePlan(objects: ClusterObjects(services: services, slices: slices, nodes: nodes, clients: clients)).probes()
    }

    @Test("A node port Service is called by address, name and each node, on both families, from everywhere")
    func nodePort() {
        let probes = plan(
            [
                service(
                    "web", type: "NodePort", clusterIPs: ["10.96.0.7", "fd00:10:96::7"],
                    ports: [ServicePort(name: "http", port: 80, nodePort: 30_080)])
            ],
            clients: [client("a", on: "node-1"), client("b", on: "node-2"), client("c", on: "node-3", ready: false)])
        #expect(probes.count == 2 * (1 + 1 + 2) * 3)
        #expect(Set(probes.map(\.from.description)) == ["host", "pod on node-1", "pod on node-2"])
        #expect(
            Set(probes.filter { $0.family == .ipv6 }.map(\.targetText)) == [
                "[fd00:10:96::7]:80", "web.web.svc.cluster.local:80", "node-1 [fd00:172:30::1]:30080",
                "node-2 [fd00:172:30::2]:30080",
            ])
        #expect(probes.allSatisfy { $0.request == .http })
    }

    @Test("A single-stack Service is called on its family only")
    func singleStack() {
        let probes = plan([
            service("web", clusterIPs: ["fd00:10:96::7"], families: ["IPv6"], ports: [ServicePort(port: 80)])
        ])
        #expect(probes.map(\.family) == [.ipv6, .ipv6])
    }

    @Test("The name of a headless Service must resolve to its ready endpoints, at their own port")
    func headless() throws {
        let probes = plan(
            [service("web", clusterIPs: ["None"], ports: [ServicePort(name: "http", port: 80)])],
            slices: [
                slice("web", .ipv4, ready: ["10.244.0.2", "10.244.1.2"], notReady: ["10.244.1.3"]),
                slice("web", .ipv6, ready: ["fd00:10:244::2"]),
            ])
        #expect(probes.count == 2)
        let expected = Set(try ["10.244.0.2", "10.244.1.2"].map { try #require(IPAddress($0)) })
        #expect(probes[0].target == .name("web.web.svc.cluster.local", resolvesTo: expected))
        #expect(probes[0].port == 8080)
    }

    /// Rows: protocol, name and number of a port; how it is asked.
    @Test(
        "A port is asked in its protocol",
        arguments: [
            (ServicePort(name: "http", port: 8080), Verify.Probe.Request?.some(.http)),
            (ServicePort(port: 80), .http),
            (ServicePort(name: "redis", port: 6379), .connection),
            (ServicePort(name: "https", port: 443), .connection),
            (ServicePort(name: "dns", protocol: "UDP", port: 53), .query("kubernetes.default.svc.cluster.local")),
            (ServicePort(name: "log", protocol: "UDP", port: 514), nil),
            (ServicePort(name: "x", protocol: "SCTP", port: 80), nil),
        ])
    func requests(port: ServicePort, request: Verify.Probe.Request?) {
        let probes = plan([service("web", clusterIPs: ["10.96.0.7"], families: ["IPv4"], ports: [port])])
        #expect(probes.first?.request == request)
    }
}
