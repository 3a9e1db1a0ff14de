import Addresses
import KubernetesAPI
import Linux
import Logging
import ServiceProxy
import Testing

@Suite("Health checks of Services")
struct HealthTests {
    /// Rows: node, ready, terminating of the endpoints; how many count.
    static let endpoints:
        [(endpoints: [(node: String?, isReady: Bool, isTerminating: Bool)], count: Int, remark: String)] = [
            ([], 0, "none"),
            ([("node", true, false), ("node", true, false)], 2, "two of this node"),
            ([("other", true, false), (nil, true, false)], 0, "of another node, or of none"),
            ([("node", false, false)], 0, "not ready"),
            ([("node", true, true)], 0, "published although it terminates"),
        ]

    @Test("Ready endpoints of this node count", arguments: endpoints.indices)
    func counts(row: Int) {
        let (endpoints, count, remark) = Self.endpoints[row]
        for family in IPFamily.allCases {
            var model = ServiceProxyModel(family: family)
            var web = service("web", [clusterIP(family, 1)], nodePort: 30_080)
            web.spec?.type = "LoadBalancer"
            web.spec?.externalTrafficPolicy = "Local"
            web.spec?.healthCheckNodePort = 31_000
            model.update(web)
            var object = slice("web", family, endpoints.indices.map { podIP(family, UInt128($0 + 1)) })
            for (index, endpoint) in endpoints.enumerated() {
                object.endpoints?[index].nodeName = endpoint.node
                object.endpoints?[index].conditions = EndpointConditions(
                    ready: endpoint.isReady, terminating: endpoint.isTerminating)
            }
            model.update(object)
            #expect(model.healthChecks.mapValues(\.localEndpoints) == [31_000: count], "\(remark)")
            web.spec?.externalTrafficPolicy = "Cluster"
            model.update(web)
            #expect(model.healthChecks.isEmpty)
        }
    }

    /// Two ports that nobody has at this moment.
    private func freePorts() throws -> [UInt16] {
        let program = """
            import socket
            sockets = [socket.socket() for _ in range(2)]
            for s in sockets: s.bind(("127.0.0.1", 0))
            print(*(s.getsockname()[1] for s in sockets))
            """
        return try run("python3", ["-c", program]).split(separator: " ").compactMap { UInt16($0) }
    }

    /// The status and, if it is in the answer, the weight.
    private func ask(_ family: IPFamily, _ port: UInt16, _ path: String) throws -> String {
        let host = family == .ipv4 ? "127.0.0.1" : "[::1]"
        let url = "http://\(host):\(port)\(path)"
        return try run(
            "curl",
            ["-s", "-o", "/dev/null", "-w", "%{http_code} %header{x-load-balancing-endpoint-weight}", "-g", url])
    }

    private func body(_ port: UInt16, _ path: String) throws -> String {
        try ChildProcess.output(of: .init(executable: "curl", arguments: ["-s", "http://127.0.0.1:\(port)\(path)"]))
            .text
    }

    private func run(_ executable: String, _ arguments: [String]) throws -> String {
        let output = try ChildProcess.output(of: .init(executable: executable, arguments: arguments))
        return output.text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }

    /// Nodes, and whether balancers should send new connections there.
    static let nodes: [(node: Node?, isEligible: Bool, remark: String)] = [
        (Node(), true, "a node"),
        (Node(spec: NodeSpec(taints: [Taint(key: "other", effect: "NoExecute")])), true, "another taint"),
        (
            Node(spec: NodeSpec(taints: [Taint(key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule")])), false,
            "the autoscaler drains it"
        ),
        (Node(spec: NodeSpec(unschedulable: true)), true, "nothing is scheduled to it"),
        (Node(metadata: ObjectMeta(deletionTimestamp: "2026-01-01T00:00:00Z")), false, "it is being deleted"),
        (nil, false, "it is deleted"),
    ]

    @Test("Balancers and probes are answered in each family, until nobody may ask any more")
    func answers() async throws {
        let ports = try freePorts()
        try #require(ports.count == 2)
        let health = ProxyHealth()
        IPFamily.allCases.forEach { health.noteApplied($0) }
        let servers = HealthServers(
            health: health, ownPort: ports[1], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let loopback: [IPFamily: [IPAddress]] = [
            .ipv4: [IPAddress(family: .ipv4, bits: 0x7f00_0001)], .ipv6: [IPAddress(family: .ipv6, bits: 1)],
        ]
        await servers.apply(
            [
                .ipv4: [ports[0]: HealthCheck(service: ServiceName("web"), localEndpoints: 0)],
                .ipv6: [ports[0]: HealthCheck(service: ServiceName("web"), localEndpoints: 3)],
            ], at: loopback)
        #expect(try ask(.ipv4, ports[0], "/") == "503 0")
        #expect(try ask(.ipv6, ports[0], "/any?way=1") == "200 3")
        for family in IPFamily.allCases {
            #expect(try ask(family, ports[1], "/healthz").hasPrefix("200"))
            #expect(try ask(family, ports[1], "/livez").hasPrefix("200"))
            #expect(try ask(family, ports[1], "/other").hasPrefix("404"))
        }
        #expect(try body(ports[1], "/metrics") == "")
        health.note(connectTime: .unavailable("no \"cgroup\""))
        #expect(
            try body(ports[1], "/metrics").hasSuffix(
                #"duet_proxy_connect_time_active{reason="no \"cgroup\""} 0"# + "\n"))
        health.note(connectTime: .active)
        #expect(try body(ports[1], "/metrics").hasSuffix("duet_proxy_connect_time_active 1\n"))
        for (node, isEligible, remark) in Self.nodes {
            health.note(node)
            for family in IPFamily.allCases {
                #expect(try ask(family, ports[1], "/healthz").hasPrefix(isEligible ? "200" : "503"), "\(remark)")
                #expect(try ask(family, ports[1], "/livez").hasPrefix("200"), "\(remark)")
            }
        }
        await servers.apply([.ipv4: [:], .ipv6: [:]], at: loopback)
        #expect(try ask(.ipv4, ports[0], "/").hasPrefix("000"))
        await servers.close()
        #expect(try ask(.ipv6, ports[1], "/livez").hasPrefix("000"))
    }
}
