import Addresses
import KubernetesAPI
import Linux
import Logging
import ServiceProxy
import Synchronization
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

    /// The first line that a command prints, or all.
    private func run(_ executable: String, _ arguments: [String], all: Bool = false) throws -> String {
        let output = try ChildProcess.output(of: .init(executable: executable, arguments: arguments))
        return all ? output.text : output.text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    }

    @Test("A port that another has is told of once, and taken when it is free", arguments: IPFamily.allCases)
    func takenPorts(family: IPFamily) async throws {
        let port = try #require(try freePorts().first)
        let loopback = IPAddress(family: family, bits: family == .ipv4 ? 0x7f00_0001 : 1)
        let reports = Mutex<[ServiceName: [String]]>([:])
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let health = ProxyHealth()
        let servers = HealthServers(health: health, ownPort: nil, logger: logger) { service, warning in
            reports.withLock { $0[service, default: []].append(warning.reason) }
        }
        let holder = HealthServers(health: health, ownPort: nil, logger: logger)
        func check(_ name: String, _ count: Int) -> [IPFamily: [UInt16: HealthCheck]] {
            [family: [port: HealthCheck(service: ServiceName(name), localEndpoints: count)]]
        }
        await holder.apply(check("other", 1), at: [family: [loopback]])
        for _ in 0..<2 { await servers.apply(check("web", 2), at: [family: [loopback]]) }
        #expect(try ask(family, port, "/") == "200 1")
        #expect(reports.withLock { $0 } == [ServiceName("web"): ["FailedToStartServiceHealthcheck"]])
        #expect(await servers.lackPorts)
        await holder.close()
        await servers.apply(check("web", 2), at: [family: [loopback]])
        #expect(try ask(family, port, "/") == "200 2")
        #expect(await !servers.lackPorts)
        await servers.close()
    }

    @Test("A balancer is sent away while changes wait for too long", arguments: [true, false])
    func waiting(isHealthy: Bool) {
        let check = HealthCheck(service: ServiceName("web"), localEndpoints: 1)
        #expect(check.answer(proxyIsHealthy: isHealthy).isHealthy == isHealthy)
        #expect(!HealthCheck(service: ServiceName("web"), localEndpoints: 0).answer(proxyIsHealthy: true).isHealthy)
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
        let text = try run("curl", ["-s", "-i", "-g", "http://[::1]:\(ports[0])/"], all: true)
        for part in [
            "HTTP/1.1 200", "Content-Type: application/json", "X-Content-Type-Options: nosniff",
            "\"namespace\": \"default\"", "\"name\": \"web\"", "\"localEndpoints\": 3", "\"serviceProxyHealthy\": true",
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        await servers.apply([.ipv4: [:], .ipv6: [:]], at: loopback)
        #expect(try ask(.ipv4, ports[0], "/").hasPrefix("000"))
        await servers.close()
        #expect(try ask(.ipv6, ports[1], "/livez").hasPrefix("000"))
    }
}
