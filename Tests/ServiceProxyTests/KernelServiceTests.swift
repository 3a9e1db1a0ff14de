import Addresses
import KubernetesAPI
import Logging
import ServiceProxy
import Testing

/// Real connections through the kernel's tables, in namespaces of their own.
@Suite("Services in the kernel", .enabled(if: NodeLab.isPossible), .blocking)
struct KernelServiceTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A Service "web" on 80 and node port 30080, over TCP or UDP, led to these pods.
    private func web(
        in lab: NodeLab, _ family: IPFamily, pods: [String], transport: String = "TCP"
    ) throws -> TableReconciler {
        try lab.run(in: "node") {
            let table = try TableReconciler(family: family, nodeName: "node", logger: Self.logger)
            table.update(node(NodeLab.podBlocks))
            table.update(service("web", [clusterIP(family, 1)], nodePort: 30_080, transport: transport))
            table.update(slice("web", family, pods.map { NodeLab.address(family, of: $0) }, transport: transport))
            try table.flush()
            return table
        }
    }

    private func lead(_ table: TableReconciler, _ family: IPFamily, to pods: [String], transport: String = "TCP") throws
        -> TableReconciler.Report
    {
        table.update(slice("web", family, pods.map { NodeLab.address(family, of: $0) }, transport: transport))
        return try table.flush()
    }

    /// The node's address that the client calls node ports on.
    private func nodeAddress(_ family: IPFamily) -> IPAddress {
        NodeLab.address(family, of: "client", nodeSide: true)
    }

    @Test(
        "Cluster addresses and node ports answer from pods, from outside and from the node",
        arguments: IPFamily.allCases)
    func answers(family: IPFamily) throws {
        let lab = try NodeLab()
        for transport in ["tcp", "udp"] {
            let table = try web(in: lab, family, pods: ["pod-2"], transport: transport.uppercased())
            let pod = NodeLab.address(family, of: "pod-1")
            let seenByPod2 = NodeLab.address(family, of: "pod-2", nodeSide: true)
            // A pod keeps its address; everyone else comes from the node, so that answers return through it.
            #expect(try lab.call(clusterIP(family, 1), 80, from: "pod-1", transport: transport) == "pod-2 \(pod)")
            #expect(
                try lab.call(clusterIP(family, 1), 80, from: "client", transport: transport) == "pod-2 \(seenByPod2)")
            #expect(try lab.call(clusterIP(family, 1), 80, from: "node", transport: transport) == "pod-2 \(seenByPod2)")
            #expect(
                try lab.call(nodeAddress(family), 30_080, from: "client", transport: transport) == "pod-2 \(seenByPod2)"
            )
            #expect(
                try lab.call(nodeAddress(family), 30_080, from: "node", transport: transport) == "pod-2 \(seenByPod2)")
            #expect(table.family == family)
        }
    }

    @Test("Connections are spread over all endpoints, and a hairpin comes from the node", arguments: IPFamily.allCases)
    func spreads(family: IPFamily) throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: ["pod-1", "pod-2"])
        let answers = Set(try lab.call(clusterIP(family, 1), 80, from: "pod-1", times: 24).split(separator: "\n"))
        #expect(
            answers == [
                "pod-1 \(NodeLab.address(family, of: "pod-1", nodeSide: true))",
                "pod-2 \(NodeLab.address(family, of: "pod-1"))",
            ])
        _ = table
    }

    @Test("Without endpoints, and on other ports, a cluster address refuses at once", arguments: IPFamily.allCases)
    func refuses(family: IPFamily) throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: [])
        for place in ["pod-1", "client", "node"] {
            #expect(try lab.call(clusterIP(family, 1), 80, from: place) == "refused")
            #expect(try lab.call(clusterIP(family, 1), 81, from: place) == "refused")
        }
        #expect(try lab.call(nodeAddress(family), 30_080, from: "client") == "refused")
        // Endpoints that come and go are followed.
        _ = try lead(table, family, to: ["pod-2"])
        #expect(try lab.call(clusterIP(family, 1), 80, from: "pod-1").hasPrefix("pod-2"))
        #expect(try lab.call(clusterIP(family, 1), 81, from: "pod-1") == "refused")
        _ = try lead(table, family, to: [])
        #expect(try lab.call(clusterIP(family, 1), 80, from: "pod-1") == "refused")
    }

    @Test("Calls never fail while endpoints change and one agent takes another's place", arguments: IPFamily.allCases)
    func changesWhileCalled(family: IPFamily) async throws {
        let lab = try NodeLab()
        var table = try web(in: lab, family, pods: ["pod-1", "pod-2"])
        let caller = Task.detached { try lab.callRepeatedly(clusterIP(family, 1), 80, from: "client", seconds: 2) }
        for round in 0..<150 {
            let pods = [["pod-1"], ["pod-1", "pod-2"], ["pod-2"], ["pod-2", "pod-1"]][round % 4]
            _ = try lead(table, family, to: pods)
            // It is killed, and another one begins with what the kernel has.
            if round % 15 == 14 { table = try web(in: lab, family, pods: pods) }
            try await Task.sleep(for: .milliseconds(12))
        }
        let (answered, failed, problem) = try await caller.value
        #expect(failed == 0 && answered > 100, "\(answered) answered, \(failed) failed; \(problem)")
    }

    @Test("A flow of datagrams leaves an endpoint that is gone", arguments: IPFamily.allCases)
    func forgetsStaleFlows(family: IPFamily) throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: ["pod-1"], transport: "UDP")
        let caller = try lab.startFlow(clusterIP(family, 1), 80, from: "client")
        #expect(caller.isAnswered(by: "pod-1"))
        let report = try lead(table, family, to: ["pod-2"], transport: "UDP")
        #expect(report.forgottenFlows == 1)
        #expect(caller.isAnswered(by: "pod-2"))
    }

    @Test(
        "Flows of datagrams end with the last endpoint, slice or Service, and live again with the next",
        arguments: IPFamily.allCases)
    func forgetsFlowsInEveryCase(family: IPFamily) throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: ["pod-1"], transport: "UDP")
        let service = service("web", [clusterIP(family, 1)], nodePort: 30_080, transport: "UDP")
        let pod = NodeLab.address(family, of: "pod-1")
        let flows = try [
            lab.startFlow(clusterIP(family, 1), 80, from: "pod-2"),
            lab.startFlow(nodeAddress(family), 30_080, from: "client"),
        ]
        var unready = slice("web", family, [pod], transport: "UDP")
        unready.endpoints?[0].conditions = EndpointConditions(ready: false, serving: false)
        for (change, remark) in [
            ({ $0.update(slice("web", family, [], transport: "UDP")) }, "no endpoint"),
            ({ $0.update(unready) }, "an endpoint that does not serve"),
            ({ $0.remove(slice("web", family, [pod], transport: "UDP")) }, "no slice"),
            ({ $0.remove(service) }, "no Service"),
        ] as [((TableReconciler) -> Void, String)] {
            for flow in flows { #expect(flow.isAnswered(by: "pod-1"), "before \(remark)") }
            change(table)
            let forgotten = try table.flush().forgottenFlows
            #expect(forgotten == 2, "\(remark)")
            table.update(service)
            _ = try lead(table, family, to: ["pod-1"], transport: "UDP")
        }
        for flow in flows { #expect(flow.isAnswered(by: "pod-1")) }
    }

    @Test("A masqueraded flow to another host's port of the same number stays", arguments: IPFamily.allCases)
    func leavesFlowsOfOthers(family: IPFamily) throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: ["pod-1"], transport: "UDP")
        table.update(service("web", [clusterIP(family, 1)], nodePort: 8080, transport: "UDP"))
        try table.flush()
        let chain = "chain sources { type nat hook postrouting priority 200; masquerade fully-random; }"
        try lab.shell("nft \"table \(family == .ipv4 ? "ip" : "ip6") others { \(chain); }\"", in: "node")
        let flow = try lab.startFlow(NodeLab.address(family, of: "remote"), 8080, from: "pod-2")
        #expect(flow.isAnswered(by: "remote"))
        #expect(try lead(table, family, to: ["pod-2"], transport: "UDP").forgottenFlows == 0)
    }

    @Test("A successor adopts the table without a transaction", arguments: IPFamily.allCases)
    func adopts(family: IPFamily) throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: ["pod-1", "pod-2"])
        // Leaves an order of slots that compiling anew would not give.
        _ = try lead(table, family, to: ["pod-2"])
        _ = try lead(table, family, to: ["pod-2", "pod-1"])
        let list = "nft -sa list ruleset"
        let listing = try lab.shell(list, in: "node")
        #expect(listing.contains("elements"))
        try lab.run(in: "node") {
            let successor = try TableReconciler(family: family, nodeName: "node", logger: Self.logger)
            successor.update(node(NodeLab.podBlocks))
            successor.update(service("web", [clusterIP(family, 1)], nodePort: 30_080))
            successor.update(slice("web", family, ["pod-1", "pod-2"].map { NodeLab.address(family, of: $0) }))
            #expect(try successor.flush() == TableReconciler.Report())
            #expect(try successor.audit() == TableReconciler.Report())
        }
        #expect(try lab.shell(list, in: "node") == listing)
    }

    @Test("One endpoint more costs its elements, in one transaction", arguments: IPFamily.allCases)
    func costOfOneEndpoint(family: IPFamily) throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: ["pod-1"])
        _ = try lead(table, family, to: ["pod-1", "pod-2"])
        _ = try lead(table, family, to: ["pod-1"])
        // An action for each of two frontends, the slot and the hairpin. The chains for two endpoints exist already.
        let report = try lead(table, family, to: ["pod-1", "pod-2"])
        #expect(report.elements == 4)
        #expect(report.operations == 6)
    }

    @Test("What others change in the table is repaired", arguments: IPFamily.allCases)
    func repairs(family: IPFamily) throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: ["pod-2"])
        let name = family == .ipv4 ? "ip duet-proxy" : "ip6 duet-proxy"
        for damage in ["flush map \(name) endpoints", "flush chain \(name) dispatch", "delete table \(name)"] {
            #expect(try table.isWhole())
            try lab.shell("nft \(damage)", in: "node")
            // Elements are for the audit to look at.
            #expect(try table.isWhole() == damage.hasPrefix("flush map"))
            #expect(
                try lab.call(clusterIP(family, 1), 80, from: "pod-1") != "pod-2 \(NodeLab.address(family, of: "pod-1"))"
            )
            #expect(try table.audit().operations > 0)
            #expect(
                try lab.call(clusterIP(family, 1), 80, from: "pod-1") == "pod-2 \(NodeLab.address(family, of: "pod-1"))"
            )
        }
        // A change that does not fit what the kernel has falls back to comparing everything.
        try lab.shell("nft flush map \(name) services", in: "node")
        let report = try lead(table, family, to: ["pod-1", "pod-2"])
        #expect(report.operations > 0)
        #expect(try lab.call(clusterIP(family, 1), 80, from: "client").hasPrefix("pod-"))
    }

    @Test("Nobody is refused while one table takes another's place", arguments: IPFamily.allCases)
    func replaces(family: IPFamily) async throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: ["pod-1", "pod-2"])
        let targets = [(clusterIP(family, 1), UInt16(80)), (nodeAddress(family), 30_080)]
        let callers = targets.map { address, port in
            Task.detached { try lab.callRepeatedly(address, port, from: "client", seconds: 4) }
        }
        var replacements = 0
        let end = ContinuousClock.now + .seconds(3)
        while ContinuousClock.now < end {
            // It does all that it should and is another, as that of another version.
            try lab.shell("nft add chain \(family == .ipv4 ? "ip" : "ip6") duet-proxy stranger", in: "node")
            #expect(try table.audit().isRebuilt)
            replacements += 1
        }
        #expect(replacements > 3)
        for caller in callers {
            let (answered, failed, problem) = try await caller.value
            #expect(failed == 0 && answered > 20, "\(answered) answered, \(failed) failed; \(problem)")
        }
        // What an agent leaves that ends half-way goes with the next comparison.
        let word = family == .ipv4 ? "ip" : "ip6"
        try lab.shell(
            "nft \"add table \(word) duet-proxy-interim; add chain \(word) duet-proxy-interim dispatch\"", in: "node")
        #expect(try table.audit() == TableReconciler.Report())
        #expect(!(try lab.shell("nft list tables", in: "node")).contains("interim"))
    }

    private static let echo = """
        import socket, sys
        family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
        s = socket.create_server((sys.argv[1], int(sys.argv[2])), family=family)
        print("listening", flush=True)
        c = s.accept()[0]
        while data := c.recv(99): c.sendall(data)
        """

    private static let talker = """
        import socket, sys, time
        s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 30)
        while True:
            time.sleep(0.05)
            try:
                s.sendall(b"heard")
                print(s.recv(99).decode(), flush=True)
            except OSError as error: print(error, flush=True)
        """

    @Test(
        "An established connection outlives its endpoint's place, and its Service", arguments: IPFamily.allCases,
        KernelPolicyTests.waysToLead)
    func establishedConnections(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        let web = policy.service("web", number: 1)
        let server = try policy.lab.start(Self.echo, policy.address("pod-2"), 9100, from: "pod-2")
        #expect(server.hasSaid("listening"))
        var ends = slice("web", family, [policy.address("pod-2")])
        ends.ports = [EndpointPort(name: "tcp", port: 9100, protocol: "TCP")]
        policy.table.update(web)
        policy.table.update(ends)
        try policy.table.flush()
        let connection = try policy.lab.start(Self.talker, clusterIP(family, 1), 80, from: "pod-1")
        #expect(connection.isAnswered(by: "heard"))
        ends.endpoints = []
        policy.table.update(ends)
        try policy.table.flush()
        #expect(try policy.lab.call(clusterIP(family, 1), 80, from: "pod-1") == "refused")
        #expect(connection.isAnswered(by: "heard"))
        policy.table.remove(web)
        try policy.table.flush()
        #expect(connection.isAnswered(by: "heard"))
    }

    @Test("A look beside the changes sees what others changed in elements", arguments: IPFamily.allCases)
    func looks(family: IPFamily) async throws {
        let lab = try NodeLab()
        let table = try web(in: lab, family, pods: ["pod-1", "pod-2"])
        var sticky = service("sticky", [clusterIP(family, 2)], nodePort: 30_081, transport: "UDP")
        sticky.spec?.sessionAffinity = "ClientIP"
        table.update(sticky)
        table.update(slice("sticky", family, [podIP(family, 1), podIP(family, 2)], transport: "UDP"))
        let reader = try lab.run(in: "node") { try TableReader(family) }
        try table.flush()
        #expect(await table.agreesWithKernel(by: reader))
        let name = family == .ipv4 ? "ip duet-proxy" : "ip6 duet-proxy"
        let maps = [
            "endpoints", "services", "node-ports", "sticky-endpoints", "members", "hairpins", "node-port-ranges",
        ]
        for map in maps {
            try lab.shell("nft flush map \(name) \(map) || nft flush set \(name) \(map)", in: "node")
            #expect(await !table.agreesWithKernel(by: reader), "\(map)")
            #expect(try table.audit().operations > 0)
            #expect(await table.agreesWithKernel(by: reader), "\(map)")
        }
    }

    @Test("Before the first flush nothing is taken away that is there to be adopted", arguments: IPFamily.allCases)
    func auditBeforeFlush(family: IPFamily) throws {
        let lab = try NodeLab()
        _ = try web(in: lab, family, pods: ["pod-2"])
        let listing = try lab.shell("nft -sa list ruleset", in: "node")
        try lab.run(in: "node") {
            let successor = try TableReconciler(family: family, nodeName: "node", logger: Self.logger)
            #expect(try successor.isWhole())
            #expect(try successor.audit() == TableReconciler.Report())
        }
        #expect(try lab.shell("nft -sa list ruleset", in: "node") == listing)
    }

    @Test("Ten thousand Services load in one go, and one more endpoint stays cheap", arguments: IPFamily.allCases)
    func manyServices(family: IPFamily) throws {
        let lab = try NodeLab()
        try lab.run(in: "node") {
            let table = try TableReconciler(family: family, nodeName: "node", logger: Self.logger)
            for number in 0..<10_000 {
                let name = "service-\(number)"
                table.update(service(name, [clusterIP(family, UInt128(number + 1))]))
                table.update(slice(name, family, [podIP(family, UInt128(number % 500 + 1)), podIP(family, 600)]))
            }
            #expect(try table.flush().elements == 10_000 * 4 + 501 + 2)
            table.update(slice("service-7", family, [podIP(family, 8), podIP(family, 600), podIP(family, 601)]))
            #expect(try table.flush().elements == 3)
            #expect(try table.audit() == TableReconciler.Report())
        }
    }
}
