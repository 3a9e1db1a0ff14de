import Addresses
import Foundation
import KubernetesAPI
import Linux
import Logging
import NFTables
import PodRouting
import RouteNetlink
import Testing

/// A namespace for a node, and others that are linked to it.
struct Sandbox {
    let name: String

    init(_ purpose: String) throws {
        name = "dt-kernel-pr-\(purpose)-\(ProcessInformation.currentPID)"
        try NetworkNamespace.create(name: name)
    }

    func remove() {
        try? NetworkNamespace.delete(name: name)
    }

    func inside<Value: ~Copyable>(_ body: () throws -> Value) throws -> Value {
        try NetworkNamespace.open(name: name).run(body)
    }

    @discardableResult
    func shell(_ script: String) throws -> String {
        var specification = ChildProcess.Specification(executable: "sh", arguments: ["-ec", script])
        specification.networkNamespace = NetworkNamespace.path(name: name)
        let output = try ChildProcess.output(of: specification)
        #expect(output.status.isSuccess, "\(script): \(output.errorText)")
        return output.text
    }
}

@Suite("Routes and masquerading in the kernel")
struct ReconcilerTests {
    private static let uplink = """
        ip link set lo up; ip link add uplink type veth peer name other; ip link set uplink up; ip link set other up
        ip addr add 172.20.0.1/24 dev uplink; ip addr add fd00:20::1/64 dev uplink nodad
        ip route add 10.99.0.0/16 via 172.20.0.9
        """

    @Test("Routes follow the plan, survive a restart, are repaired, and others' are left alone")
    func routes() throws {
        let sandbox = try Sandbox("routes")
        defer { sandbox.remove() }
        try sandbox.shell(Self.uplink)
        var plan = RoutePlan(nodeName: "node-1")
        for number in 1...3 { _ = plan.update("node-\(number)", clusterNode(number)) }
        var reconciler = try sandbox.inside { try RouteReconciler() }
        let failures = try reconciler.audit(plan)
        #expect(failures.isEmpty)
        let listing = "ip -4 route show proto 68; ip -6 route show proto 68"
        let expected = try sandbox.shell(listing)
        #expect(expected.contains("10.244.2.0/24 via 172.20.0.2 dev uplink metric 1024"), "\(expected)")
        #expect(expected.contains("fd00:10:244:3::/64 via fd00:20::3 dev uplink metric 1024"), "\(expected)")
        #expect(expected.split(separator: "\n").count == 4)

        // A restarted process adopts; what was lost or added meanwhile is repaired.
        try sandbox.shell(
            "ip route del 10.244.2.0/24; ip route add 10.244.77.0/24 via 172.20.0.7 proto 68 metric 1024")
        var restarted = try sandbox.inside { try RouteReconciler() }
        #expect(try restarted.audit(plan).isEmpty)
        #expect(try sandbox.shell(listing) == expected)

        let touched = plan.update("node-3", nil)
        #expect(restarted.apply(plan, to: touched).isEmpty)
        #expect(try sandbox.shell(listing).split(separator: "\n").count == 2)
        #expect(try sandbox.shell("ip route").contains("10.99.0.0/16 via 172.20.0.9"))

        let far = plan.update("node-4", clusterNode(4, addresses: ["10.99.0.4", "2001:db8::4"]))
        let unreachable = restarted.apply(plan, to: far).map(\.description)
        #expect(unreachable.count == 2)
        #expect(unreachable.contains { $0.contains("10.244.4.0/24") && $0.contains("behind another router") })
    }

    @Test("The masquerade table is built once, adopted when equal, changed by elements, and rebuilt when spoiled")
    func masquerade() throws {
        let sandbox = try Sandbox("masq")
        defer { sandbox.remove() }
        let own = clusterNode(1)
        let plan = MasqueradePlan(own: own, nodes: [own])
        var reconciler = try sandbox.inside { try MasqueradeReconciler() }
        var socket = try sandbox.inside { try NFTablesSocket() }
        #expect(try reconciler.apply(plan))
        let generation = try socket.generation()
        var restarted = try sandbox.inside { try MasqueradeReconciler() }
        #expect(try !restarted.apply(plan))
        #expect(try !restarted.audit(plan))
        var now = try socket.generation()
        #expect(now == generation)

        let larger = MasqueradePlan(own: own, nodes: [own, clusterNode(2)])
        #expect(try restarted.apply(larger))
        now = try socket.generation()
        #expect(now == generation + 1)
        #expect(try sandbox.shell("nft list table inet duet-masquerade").contains("10.244.2.0/24"))

        try sandbox.shell("nft flush chain inet duet-masquerade postrouting")
        #expect(try restarted.audit(larger))
        #expect(try !restarted.audit(larger))
        let listing = try sandbox.shell("nft list table inet duet-masquerade")
        #expect(listing.contains("ip saddr @pods-4 ip daddr != @cluster-4 masquerade"), "\(listing)")
        #expect(listing.contains("ip6 saddr @pods-6 ip6 daddr != @cluster-6 masquerade"), "\(listing)")
    }

    @Test("A pod shows its own address to nodes and the node's to the outside", arguments: IPFamily.allCases)
    func sources(family: IPFamily) throws {
        let node = try Sandbox("node\(family.rawValue)")
        let pod = try Sandbox("pod\(family.rawValue)")
        let outside = try Sandbox("out\(family.rawValue)")
        defer { for sandbox in [node, pod, outside] { sandbox.remove() } }
        try node.shell(
            """
            ip link set lo up
            ip link add uplink type veth peer name eth0 netns \(outside.name); ip link set uplink up
            ip addr add 172.20.0.1/24 dev uplink; ip addr add fd00:20::1/64 dev uplink nodad
            ip link add pod type veth peer name eth0 netns \(pod.name); ip link set pod up
            ip addr add 10.244.1.1/24 dev pod; ip addr add fd00:10:244:1::1/64 dev pod nodad
            """)
        try pod.shell(
            """
            ip link set eth0 up; ip addr add 10.244.1.5/24 dev eth0; ip addr add fd00:10:244:1::5/64 dev eth0 nodad
            ip route add default via 10.244.1.1; ip route add default via fd00:10:244:1::1
            """)
        // The outside is another node's address and, on the same link, one of nobody.
        try outside.shell(
            """
            ip link set eth0 up; ip link set lo up
            for a in 172.20.0.2/24 172.20.0.200/24; do ip addr add $a dev eth0; done
            for a in fd00:20::2/64 fd00:20::200/64; do ip addr add $a dev eth0 nodad; done
            ip route add 10.244.1.0/24 via 172.20.0.1; ip route add fd00:10:244:1::/64 via fd00:20::1
            """)
        var reconciler = try node.inside { try MasqueradeReconciler() }
        let own = clusterNode(1)
        try reconciler.apply(MasqueradePlan(own: own, nodes: [own, clusterNode(2)]))
        try node.inside { try Forwarding.enable() }

        let server = try ChildProcess.spawn(
            executable: "python3",
            arguments: [
                "-c",
                """
                import socket
                f = socket.AF_INET6 if \(family.rawValue) == 6 else socket.AF_INET
                s = socket.create_server(("", 7000), family=f)
                while True:
                    c, a = s.accept(); c.sendall(a[0].encode()); c.close()
                """,
            ], networkNamespace: NetworkNamespace.path(name: outside.name))
        defer {
            try? server.signal(9)
            _ = try? server.wait()
        }
        // The server starts, and a fresh link needs a moment before it has a route.
        let ask = """
            import socket, sys, time
            for _ in range(50):
                try:
                    print(socket.create_connection((sys.argv[1], 7000), 2).recv(64).decode()); break
                except OSError: time.sleep(0.1)
            """
        let isIPv4 = family == .ipv4
        let rows =
            isIPv4
            ? [("172.20.0.2", "10.244.1.5"), ("172.20.0.200", "172.20.0.1")]
            : [("fd00:20::2", "fd00:10:244:1::5"), ("fd00:20::200", "fd00:20::1")]
        for (target, seen) in rows {
            #expect(try pod.shell("python3 -c '\(ask)' \(target)") == "\(seen)\n")
        }
    }

    @Test("The router does nothing before all nodes are known, then everything, and writes the configuration once")
    func router() async throws {
        let sandbox = try Sandbox("router")
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-kernel-cni-")
        defer {
            sandbox.remove()
            try? FileSystem.removeTree(directory)
        }
        try sandbox.shell(Self.uplink)
        let router = try sandbox.inside {
            try PodRouter(
                configuration: PodRoutingConfiguration(nodeName: "node-1", cniConfDir: directory, cniBinDir: directory),
                logger: Logger(label: "test"))
        }
        await router.update("node-2", node(2))
        await router.update("node-1", node(1))
        #expect(try sandbox.shell("ip route show proto 68").isEmpty)
        #expect(try FileSystem.list(directory).isEmpty)
        await router.synced()
        #expect(try sandbox.shell("ip route show proto 68").contains("10.244.2.0/24 via 172.20.0.2"))
        #expect(try FileSystem.list(directory) == ["10-duet.conflist"])
        let path = "\(directory)/10-duet.conflist"
        let written = try FileSystem.status(path).inode
        await router.update("node-3", node(3))
        await router.audit()
        #expect(try FileSystem.status(path).inode == written)
        #expect(await !router.needsRetry)
        #expect(try sandbox.shell("ip -6 route show proto 68").contains("fd00:10:244:3::/64"))
    }

    private func node(_ number: Int) -> Node {
        let node = clusterNode(number)
        return Node(
            metadata: ObjectMeta(name: node.name), spec: NodeSpec(podCIDRs: node.podPrefixes.map(String.init)),
            status: NodeStatus(
                addresses: node.addresses.map { NodeAddress(type: "InternalIP", address: "\($0)") }))
    }
}
