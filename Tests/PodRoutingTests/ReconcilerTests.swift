import Addresses
import Foundation
import KubernetesAPI
import Linux
import Logging
import NFTables
import PodRouting
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

extension PodRouter {
    /// The router of node 1, with its configuration in a directory.
    init(directory: String) throws {
        try self.init(
            configuration: PodRoutingConfiguration(nodeName: "node-1", cniConfDir: directory, cniBinDir: directory),
            logger: Logger(label: "test"))
    }
}

extension String {
    /// Lines sorted, and without the numbers of links: a link that is made again has another, and its entries another order.
    fileprivate var withoutNumbers: [String] {
        split(separator: "\n").map { String($0).replacing(#/^\d+: /#, with: "") }.sorted()
    }
}

@Suite("Routes and masquerading in the kernel", .serialized)
struct ReconcilerTests {
    private static let uplink = """
        ip link set lo up; ip link add uplink type veth peer name other; ip link set uplink up; ip link set other up
        ip addr add 172.20.0.1/24 dev uplink; ip addr add fd00:20::1/64 dev uplink nodad
        ip route add 10.99.0.0/16 via 172.20.0.9
        """

    @Test("Routes follow the nodes, survive a restart, are repaired, and others' are left alone")
    func routes() async throws {
        let sandbox = try Sandbox("routes")
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-kernel-cni-")
        defer {
            sandbox.remove()
            try? FileSystem.removeTree(directory)
        }
        try sandbox.shell(Self.uplink)
        let router = try sandbox.inside { try PodRouter(directory: directory) }
        for number in 1...3 { await router.update("node-\(number)", node(number)) }
        await router.synced()
        let listing = "ip -4 route show proto 68; ip -6 route show proto 68"
        let expected = try sandbox.shell(listing)
        #expect(
            expected.contains("10.244.2.0/24 via 172.20.0.2 dev uplink src 172.20.0.1 metric 1024"), "\(expected)")
        #expect(
            expected.contains("fd00:10:244:3::/64 via fd00:20::3 dev uplink src fd00:20::1 metric 1024"), "\(expected)")
        #expect(expected.split(separator: "\n").count == 4)

        // A restarted process adopts; what was lost or added meanwhile is repaired.
        try sandbox.shell(
            "ip route del 10.244.2.0/24; ip route add 10.244.77.0/24 via 172.20.0.7 proto 68 metric 1024")
        let restarted = try sandbox.inside { try PodRouter(directory: directory) }
        for number in 1...3 { await restarted.update("node-\(number)", node(number)) }
        await restarted.synced()
        #expect(try sandbox.shell(listing) == expected)
        for damage in [
            "ip route append 10.244.2.0/24 via 172.20.0.8 proto 68 metric 1024",
            "ip -6 route append fd00:10:244:2::/64 via fd00:20::8 proto 68 metric 1024",
            "ip route replace 10.244.3.0/24 via 172.20.0.9 metric 1024",
            "ip -6 route replace fd00:10:244:3::/64 via fd00:20::9 metric 1024",
        ] {
            try sandbox.shell(damage)
            await restarted.audit()
            #expect(try sandbox.shell(listing) == expected, "\(damage)")
        }
        // What goes before Duet's routes is left alone, and told.
        #expect(try superseded(sandbox) == [])
        try sandbox.shell(
            "ip route add 10.244.2.0/24 via 172.20.0.9; ip -6 route add unreachable fd00:10:244:3::/64 metric 1")
        await restarted.audit()
        #expect(try superseded(sandbox) == ["10.244.2.0/24", "fd00:10:244:3::/64"])

        await restarted.update("node-3", nil)
        #expect(try sandbox.shell(listing).split(separator: "\n").count == 2)
        #expect(try sandbox.shell("ip route").contains("10.99.0.0/16 via 172.20.0.9"))
        #expect(await !restarted.needsRetry)
    }

    private func superseded(_ sandbox: Sandbox) throws -> [String] {
        var reconciler = try sandbox.inside { try RouteReconciler() }
        try reconciler.adopt()
        return reconciler.superseded().map(\.destination.description)
    }

    @Test("A tunnel comes with the first node that needs it, is adopted and repaired, and goes with the last")
    func tunnels() async throws {
        let sandbox = try Sandbox("tunnels")
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-kernel-cni-")
        defer {
            sandbox.remove()
            try? FileSystem.removeTree(directory)
        }
        try sandbox.shell(Self.uplink)
        let far = ["10.99.0.4", "fd00:99::4"]
        let router = try sandbox.inside { try PodRouter(directory: directory) }
        await router.update("node-1", node(1))
        await router.update("node-2", node(2))
        await router.synced()
        #expect(try !sandbox.shell("ip link").contains("duet-vxlan"))
        await router.update("node-4", node(4, addresses: far))
        let mac = TunnelIdentity.mac(ofNode: "node-4", underlay: .ipv4)
        let listing = """
            ip -4 route show proto 68; ip -6 route show proto 68; ip neigh show dev duet-vxlan4 nud permanent
            bridge fdb show dev duet-vxlan4; ip -o addr show dev duet-vxlan4 scope global; ip -o link show dev duet-vxlan4
            """
        let expected = try sandbox.shell(listing)
        for line in [
            "10.244.4.0/24 via 10.244.4.0 dev duet-vxlan4 src 10.244.1.0 metric 1024 onlink",
            "fd00:10:244:4::/64 via \(TunnelIdentity.linkLocalAddress(mac)) dev duet-vxlan4 src fd00:10:244:1::",
            "10.244.4.0 lladdr \(mac) PERMANENT", "\(mac) dst 10.99.0.4 self permanent", "mtu 1450",
            "inet 10.244.1.0/32", "inet6 fd00:10:244:1::/128",
        ] { #expect(expected.contains(line), "\(line) in \(expected)") }
        let configuration = try FileSystem.readText("\(directory)/10-duet.conflist")
        #expect(configuration.contains("1450"))
        #expect(try superseded(sandbox) == [])

        let restarted = try sandbox.inside { try PodRouter(directory: directory) }
        for (number, addresses) in [(1, nil), (2, nil), (4, far)] {
            await restarted.update("node-\(number)", node(number, addresses: addresses))
        }
        await restarted.synced()
        #expect(try sandbox.shell(listing) == expected)
        // Whatever of it is spoilt is made again, a link with other settings included.
        for damage in [
            "ip neigh flush dev duet-vxlan4 nud permanent", "bridge fdb del \(mac) dev duet-vxlan4",
            "ip addr del 10.244.1.0/32 dev duet-vxlan4", "ip link set duet-vxlan4 down",
            "ip link set duet-vxlan4 mtu 1300",
            "ip route flush proto 68", "ip link del duet-vxlan4",
            "ip link set duet-vxlan4 down; ip link set duet-vxlan4 name stolen; ip link set stolen up",
            "ip link del duet-vxlan4; ip link add duet-vxlan4 type vxlan id 1 local 172.20.0.1 dstport 1234",
        ] {
            try sandbox.shell(damage)
            await restarted.audit()
            let now = try sandbox.shell(listing)
            #expect(now.withoutNumbers == expected.withoutNumbers, "after \(damage)")
            #expect(await !restarted.needsRetry)
        }
        await restarted.update("node-4", nil)
        #expect(try !sandbox.shell("ip link").contains("duet-vxlan"))
        #expect(try !FileSystem.readText("\(directory)/10-duet.conflist").contains("1450"))
    }

    @Test("What somebody else deletes comes back because the kernel tells; pods that come and go are nobody's business")
    func repair() async throws {
        let sandbox = try Sandbox("repair")
        let directory = try FileSystem.makeTemporaryDirectory(prefix: "/tmp/dt-kernel-cni-")
        defer {
            sandbox.remove()
            try? FileSystem.removeTree(directory)
        }
        try sandbox.shell(Self.uplink)
        let router = try sandbox.inside { try PodRouter(directory: directory) }
        let watch = try sandbox.inside { try KernelWatch() }
        for number in 1...3 { await router.update("node-\(number)", node(number)) }
        await router.update("node-4", node(4, addresses: ["10.99.0.4"]))
        await router.synced()
        let task = Task {
            for await _ in watch.signals() { await router.changed(watch.take()) }
        }
        defer { task.cancel() }
        let listing = """
            ip -4 route show proto 68; ip -6 route show proto 68
            ip neigh show dev duet-vxlan4 nud permanent || true
            """
        let expected = try sandbox.shell(listing)
        for damage in [
            "ip route del 10.244.2.0/24", "ip -6 route del fd00:10:244:3::/64", "ip link del duet-vxlan4",
            "ip route flush proto 68", "ip neigh del 10.244.4.0 dev duet-vxlan4",
            "ip addr del 10.244.1.0/32 dev duet-vxlan4",
            "ip link set uplink down; ip link set uplink up; ip addr replace fd00:20::1/64 dev uplink nodad; "
                + "ip route add 10.99.0.0/16 via 172.20.0.9",
            "ip addr del 172.20.0.1/24 dev uplink; ip addr add 172.20.0.1/24 dev uplink; "
                + "ip route add 10.99.0.0/16 via 172.20.0.9",
        ] {
            try sandbox.shell(damage)
            let start = ContinuousClock.now
            var now = ""
            repeat {
                // The repair needs a thread as well.
                try await Task.sleep(for: .milliseconds(10))
                now = try sandbox.shell(listing)
            } while now.withoutNumbers != expected.withoutNumbers && ContinuousClock.now - start < .seconds(60)
            // Nothing here looks by itself: what is repaired was told by the kernel.
            #expect(now.withoutNumbers == expected.withoutNumbers, "after \(damage)")
        }

        // A pod's link and routes.
        let quiet = try sandbox.inside { try KernelWatch() }
        let signals = quiet.signals().makeAsyncIterator()
        try sandbox.shell(
            """
            ip link add pod type veth peer name pod-inside; ip link set pod up
            ip addr add 10.244.1.1/32 dev pod; ip route add 10.244.1.5/32 dev pod; ip link del pod
            """)
        var iterator = signals
        _ = await iterator.next()
        let changes = try #require(quiet.take())
        #expect(!changes.isEmpty)
        #expect(await !router.changed(changes))
        #expect(await router.changed(nil))
    }

    @Test("A default route that a router advertises survives forwarding, and pods' links take no advertisement")
    func advertisements() async throws {
        let node = try Sandbox("ranode")
        let outside = try Sandbox("rarouter")
        defer { for sandbox in [node, outside] { sandbox.remove() } }
        try node.shell(
            """
            ip link set lo up; ip link add uplink type veth peer name eth0 netns \(outside.name)
            sysctl -qw net.ipv6.conf.uplink.accept_ra=1; ip link set uplink up
            ip link add pod type veth peer name pod-inside; ip link set pod up
            """)
        try outside.shell("sysctl -qw net.ipv6.conf.eth0.dad_transmits=0; ip link set eth0 up")
        // Type 134, hop limit 64, no flags, lifetime 1800 s; one prefix 2001:db8:77::/64 with the flags L and A (RFC 4861).
        let advertise = """
            import socket, struct, time
            s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("eth0"))
            prefix = struct.pack("!BBBBIII16s", 3, 4, 64, 0xc0, 7200, 3600, 0, socket.inet_pton(socket.AF_INET6, "2001:db8:77::"))
            for _ in range(50):
                try:
                    s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + prefix, ("ff02::1", 0)); break
                except OSError: time.sleep(0.1)  # The link has no address yet.
            """
        func advertiseUntil(_ isDone: () throws -> Bool) throws {
            for _ in 0..<50 {
                try outside.shell("python3 -c '\(advertise)'")
                if try isDone() { return }
                try node.shell("sleep 0.1")
            }
            Issue.record("no advertisement was taken")
        }
        try advertiseUntil { try node.shell("ip -6 route show default").contains("proto ra") }
        try node.inside { try Forwarding.enable() }
        #expect(try node.shell("ip -6 route show default").contains("proto ra"))
        let expiry = "ip -6 route show default | sed -n 's/.*expires \\([0-9]*\\)sec.*/\\1/p'"
        // A later one is still taken: the route lives longer again.
        try node.shell("sleep 1.2")
        let before = try #require(Int(try node.shell(expiry).filter(\.isNumber)))
        try advertiseUntil { Int(try node.shell(expiry).filter(\.isNumber)).map { $0 > before } == true }
        #expect(try node.shell("sysctl -n net.ipv6.conf.uplink.accept_ra").filter(\.isNumber) == "2")
        #expect(try node.shell("sysctl -n net.ipv6.conf.pod.accept_ra").filter(\.isNumber) != "2")
        #expect(try node.shell("sysctl -n net.ipv6.conf.default.accept_ra").filter(\.isNumber) != "2")
    }

    @Test("The masquerade table is built once, adopted when equal, changed by elements, and rebuilt when spoiled")
    func masquerade() throws {
        let sandbox = try Sandbox("masq")
        defer { sandbox.remove() }
        let own = clusterNode(1)
        var plan = MasqueradePlan()
        _ = plan.update(own: own)
        _ = plan.update(own.name, own, addresses: own.addresses)
        var reconciler = try sandbox.inside { try MasqueradeReconciler() }
        var socket = try sandbox.inside { try NFTablesSocket() }
        #expect(try reconciler.apply(plan, to: []))
        let generation = try socket.generation()
        var restarted = try sandbox.inside { try MasqueradeReconciler() }
        #expect(try !restarted.apply(plan, to: []))
        #expect(try !restarted.audit(plan))
        var now = try socket.generation()
        #expect(now == generation)

        let next = clusterNode(2)
        var touched = plan.update(next.name, next, addresses: next.addresses)
        #expect(try restarted.apply(plan, to: touched))
        now = try socket.generation()
        #expect(now == generation + 1)
        #expect(try sandbox.shell("nft list table inet duet-masquerade").contains("10.244.2.0/24"))
        // A larger range takes the place of those inside it, and gives it back.
        let wide = clusterNode(3, pods: ["10.244.0.0/16"], addresses: [])
        touched = plan.update(wide.name, wide, addresses: [])
        #expect(try restarted.apply(plan, to: touched))
        #expect(try !sandbox.shell("nft list table inet duet-masquerade").contains("10.244.2.0/24"))
        touched = plan.update(wide.name, nil, addresses: [])
        #expect(try restarted.apply(plan, to: touched))
        #expect(try sandbox.shell("nft list table inet duet-masquerade").contains("10.244.2.0/24"))
        #expect(try !restarted.audit(plan))

        try sandbox.shell("nft flush chain inet duet-masquerade postrouting")
        #expect(try restarted.audit(plan))
        #expect(try !restarted.audit(plan))
        let listing = try sandbox.shell("nft list table inet duet-masquerade")
        #expect(listing.contains("ip saddr @pods-4 ip daddr != @cluster-4 masquerade"), "\(listing)")
        #expect(listing.contains("ip6 saddr @pods-6 ip6 daddr != @cluster-6 masquerade"), "\(listing)")
        #expect(listing.contains("oifname \"duet-nat64*\" accept"), "\(listing)")
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
        var plan = MasqueradePlan()
        _ = plan.update(own: clusterNode(1))
        for node in [clusterNode(1), clusterNode(2)] {
            _ = plan.update(node.name, node, addresses: node.addresses)
        }
        try reconciler.apply(plan, to: [])
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
        let router = try sandbox.inside { try PodRouter(directory: directory) }
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

    private func node(_ number: Int, addresses: [String]? = nil) -> Node {
        let node = clusterNode(number, addresses: addresses)
        return Node(
            metadata: ObjectMeta(name: node.name), spec: NodeSpec(podCIDRs: node.podPrefixes.map(String.init)),
            status: NodeStatus(
                addresses: node.addresses.map { NodeAddress(type: "InternalIP", address: "\($0)") }))
    }
}
