import Addresses
import BPF
import Glibc
import KubernetesAPI
import Linux
import Logging
import ServiceProxy
import Testing

/// Calls that are led to endpoints while they are made.
@Suite("Services at connect time", .enabled(if: NodeLab.isPossible), .blocking)
struct ConnectTimeTests {
    /// Calls a Service over each kind of socket, and prints for each what it met, and as whom the peer is known.
    private static let caller = """
        import socket, sys
        address, port = sys.argv[1], int(sys.argv[2])
        sockets = [(socket.AF_INET6, address)] if ":" in address else \\
            [(socket.AF_INET, address), (socket.AF_INET6, "::ffff:" + address)]
        for family, target in sockets:
            with socket.socket(family) as s:
                s.settimeout(30)
                s.connect((target, port))
                print("tcp", s.recv(99).decode().split()[0], s.getpeername()[:2] == (target, port))
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                s.settimeout(30)
                s.connect((target, port))
                s.send(b"?")
                answer, peer = s.recvfrom(99)
                print("connected", answer.decode().split()[0], s.getpeername()[:2] == peer[:2] == (target, port))
                # Named again, it is the same: the socket hears from nobody else.
                for _ in range(8):
                    s.sendto(b"?", (target, port))
                    again, peer = s.recvfrom(99)
                    assert again == answer and peer[:2] == (target, port), (again, peer)
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                s.settimeout(30)
                met = []
                for _ in range(8):
                    s.sendto(b"?", (target, port))
                    answer, peer = s.recvfrom(99)
                    met.append((answer.decode().split()[0], peer[:2] == (target, port)))
                print("sent", met[0][0], met == [met[0]] * 8 and met[0][1])
        """

    private func tracked(_ policy: PolicyLab, to address: IPAddress) throws -> Int {
        let family = policy.family == .ipv4 ? "ipv4" : "ipv6"
        return try policy.lab.shell("conntrack -L -f \(family) -d \(address) 2>/dev/null || true", in: "node")
            .split(separator: "\n").count
    }

    @Test(
        "Every kind of socket meets an endpoint, and knows its peer as what it called", arguments: IPFamily.allCases,
        KernelPolicyTests.waysToLead)
    func sockets(family: IPFamily, atConnect: Bool) throws {
        let policy = try PolicyLab(family, atConnect: atConnect)
        policy.update(policy.service("web", number: 1, nodePort: 30_080), ready: ["pod-2", "remote"])
        try policy.table.flush()
        #expect(policy.balancer?.state == (atConnect ? .active : nil))
        for place in ["pod-1", "node"] {
            for (address, port) in [(clusterIP(family, 1), UInt16(80)), (policy.nodeAddress, 30_080)] {
                let output = try policy.lab.python(Self.caller, "\(address)", "\(port)", in: place)
                let lines = output.split(separator: "\n")
                #expect(lines.count == (family == .ipv4 ? 6 : 3), "\(place): \(lines)")
                for line in lines {
                    let words = line.split(separator: " ")
                    #expect(["pod-2", "remote"].contains(words[1]) && words[2] == "True", "\(place): \(line)")
                }
                #expect(try (tracked(policy, to: address) == 0) == atConnect)
            }
        }
        guard atConnect else { return }
        // Who is outside the cgroup is served all the same, as packets.
        #expect(try policy.lab.call(clusterIP(family, 1), 80, from: "client") != "refused")
        #expect(try tracked(policy, to: clusterIP(family, 1)) == 1)
    }

    /// Connects one socket twice: to a Service, and then to an endpoint of it, or the reverse; prints for each whom it knows.
    private static let twice = """
        import socket, struct, sys
        first, second = [(sys.argv[i], int(sys.argv[i + 1])) for i in (1, 3)]
        for a, b in ((first, second), (second, first), (first, first)):
            with socket.socket(socket.AF_INET6 if ":" in a[0] else socket.AF_INET, socket.SOCK_DGRAM) as s:
                for target in (a, b):
                    s.connect(target)
                    print(s.getpeername()[:2] == target)
        """

    @Test(
        "A socket knows what it called last, and leaves no note, whether or not there is room for notes",
        arguments: IPFamily.allCases)
    func notes(family: IPFamily) throws {
        let policy = try PolicyLab(family, atConnect: true)
        policy.update(policy.service("web", number: 1, nodePort: 30_080), ready: ["pod-2"])
        try policy.table.flush()
        let cookie = try policy.lab.run(in: "node") { try NetworkNamespace.currentCookie() }
        let notes = try BPFMap<UInt32, InlineArray<6, UInt64>>(
            pinnedAt: "\(BPFFileSystem.directory)/connect-\(cookie)/maps/notes")
        // The first number of a place is the socket that has it.
        func holders() throws -> Set<UInt64> {
            var holders: Set<UInt64> = []
            try notes.forEach { holders.insert($1[0]) }
            return holders
        }
        func expectKnownPeers(_ remark: String) throws {
            let web = "\(clusterIP(family, 1))"
            let known = try policy.lab.python(Self.twice, web, "80", "\(policy.address("pod-2"))", "8080", in: "pod-1")
            #expect(known == Array(repeating: "True", count: 6).joined(separator: "\n"), "\(remark)")
            let met = try policy.lab.python(Self.caller, web, "80", in: "pod-1").split(separator: "\n")
            #expect(met.count == (family == .ipv4 ? 6 : 3), "\(remark): \(met)")
            #expect(met.allSatisfy { $0.hasSuffix("True") }, "\(remark): \(met)")
        }
        let flow = try policy.lab.startFlow(clusterIP(family, 1), 80, from: "pod-1")
        #expect(flow.isAnswered(by: "pod-2"))
        #expect(try holders().count == 2, "the flow's socket, and none")
        try expectKnownPeers("with room")
        #expect(try holders().count == 2, "sockets that are closed leave no note")

        let stranger = UInt64.max
        for place in try notes.keys() { try notes.set(place, to: InlineArray(repeating: stranger)) }
        try expectKnownPeers("without room")
        #expect(try holders() == [stranger], "a place is not taken from who has it")
    }

    /// Where kubelets of both cgroup drivers have a pod's processes.
    static let layouts = [
        "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-poddt.slice/cri-containerd-dt.scope",
        "kubepods/besteffort/poddt/dt",
    ]

    /// Whether no kubelet has its cgroups here.
    static let hasNoKubelet = layouts.allSatisfy { layout in
        guard let root = try? Cgroup.mountPoint(), let top = layout.split(separator: "/").first else { return false }
        return !FileSystem.exists("\(root)/\(top)")
    }

    @Test(
        "Pods are found where kubelets have them, and a stranger among them is served as packets",
        .enabled(if: hasNoKubelet), .serialized, arguments: layouts)
    func kubeletLayouts(layout: String) throws {
        let policy = try PolicyLab(.ipv6, atConnect: true, podCgroup: layout)
        policy.update(policy.service("web", number: 1), ready: ["pod-2", "remote"])
        try policy.table.flush()
        #expect(policy.balancer?.state == .active)
        for place in ["pod-1", "node"] {
            let output = try policy.lab.python(Self.caller, "\(clusterIP(.ipv6, 1))", "80", in: place)
            #expect(output.split(separator: "\n").count == 3, "\(place): \(output)")
        }
        #expect(try tracked(policy, to: clusterIP(.ipv6, 1)) == 0)
        // In a pod's namespace, but in no pod's cgroup.
        let call = "exec 3<>/dev/tcp/\(clusterIP(.ipv6, 1))/80; head -c 99 <&3"
        #expect(try policy.lab.shell(call, in: "pod-1").split(separator: " ").count == 2)
        #expect(try tracked(policy, to: clusterIP(.ipv6, 1)) == 1)
    }

    /// Sends a datagram whenever it is told to, from one socket, and prints what answers.
    private static let sender = """
        import socket, sys, time
        address, port = sys.argv[1], int(sys.argv[2])
        s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(1)
        while True:
            time.sleep(0.05)
            try:
                s.sendto(b"?", (address, port))
                answer, peer = s.recvfrom(99)
                print(answer.decode().split()[0], peer[:2] == (address, port), flush=True)
            except OSError as error: print(error, flush=True)
        """

    @Test(
        "Datagrams leave an endpoint that is gone, whether their socket is connected or not",
        arguments: IPFamily.allCases)
    func staleDatagrams(family: IPFamily) throws {
        let policy = try PolicyLab(family, atConnect: true)
        let web = policy.service("web", number: 1, nodePort: 30_080)
        policy.update(web, ready: ["pod-2"])
        try policy.table.flush()
        for place in ["pod-1", "node"] {
            policy.update(web, ready: ["pod-2"])
            try policy.table.flush()
            let sent = try policy.lab.start(Self.sender, clusterIP(family, 1), 80, from: place)
            let connected = try policy.lab.startFlow(clusterIP(family, 1), 80, from: place)
            #expect(sent.isAnswered(by: "pod-2 True"))
            #expect(connected.isAnswered(by: "pod-2"))
            policy.update(web, ready: ["remote"])
            try policy.table.flush()
            #expect(sent.isAnswered(by: "remote True"))
            // The owner of a connected socket is told (ECONNABORTED, or EDESTADDRREQ at the next send), and may open another.
            #expect(connected.hasSaid("[Errno"))
        }
    }

    @Test("One endpoint more changes as many elements as it has frontends, and its slot", arguments: IPFamily.allCases)
    func costOfOneEndpoint(family: IPFamily) {
        var model = ServiceProxyModel(family: family)
        for number in 1...200 as ClosedRange<UInt128> {
            model.update(service("web-\(number)", [clusterIP(family, number)], nodePort: 30_000 + Int(number)))
            model.update(slice("web-\(number)", family, [podIP(family, number)]))
        }
        _ = model.flush()
        model.update(slice("web-7", family, [podIP(family, 7), podIP(family, 999)]))
        #expect(model.flush().difference.connectTimePart.count == 3)
        // When affinity begins the slots stay, and the members come.
        var web = service("web-7", [clusterIP(family, 7)], nodePort: 30_007)
        web.spec?.sessionAffinity = "ClientIP"
        model.update(web)
        let changes = model.flush().difference.connectTimePart
        #expect(changes.filter { $0.key.slot != nil }.count == 2)
        #expect(changes.allSatisfy { $0.value != nil })
        #expect(changes.count == 6)
    }

    @Test("Calls are led while no agent runs, and a successor takes over without a gap", arguments: IPFamily.allCases)
    func adoption(family: IPFamily) async throws {
        var policy: PolicyLab? = try PolicyLab(family, atConnect: true)
        let lab = try #require(policy?.lab)
        let web = policy?.service("web", number: 1, nodePort: 30_080)
        guard let web else { return }
        policy?.update(web, ready: ["pod-2", "remote"])
        try policy?.table.flush()
        let options = ProxyOptions(connectTime: lab.connectTimeOptions)
        // The agent dies.
        policy = nil
        let caller = Task.detached { try lab.callRepeatedly(clusterIP(family, 1), 80, from: "pod-1", seconds: 3) }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        for round in 0..<4 {
            try lab.run(in: "node") {
                let table = try TableReconciler(family: family, nodeName: "node", options: options, logger: logger)
                let balancer = ConnectTimeBalancer.following([table], options: options, logger: logger)
                table.update(node(NodeLab.podBlocks))
                table.update(web)
                let names = round % 2 == 0 ? ["pod-2"] : ["pod-2", "remote"]
                var slice = slice("web", family, names.map { NodeLab.address(family, of: $0) })
                slice.ports = ["tcp", "udp"].map { EndpointPort(name: $0, port: 8080, protocol: $0.uppercased()) }
                table.update(slice)
                try table.flush()
                #expect(balancer?.state == .active)
            }
        }
        let (answered, failed, problem) = try await caller.value
        #expect(failed == 0 && answered > 50, "\(answered) answered, \(failed) failed; \(problem)")
        // All of them were led: nftables saw none.
        let tracked = try lab.shell(
            "conntrack -L -f \(family == .ipv4 ? "ipv4" : "ipv6") -d \(clusterIP(family, 1)) 2>/dev/null || true",
            in: "node")
        #expect(tracked.isEmpty)
    }

    @Test("A look beside the changes sees what others changed in the maps", arguments: IPFamily.allCases)
    func looks(family: IPFamily) async throws {
        let policy = try PolicyLab(family, atConnect: true)
        let web = policy.service("web", number: 1, nodePort: 30_080)
        var sticky = policy.service("sticky", number: 2, nodePort: 30_081)
        sticky.spec?.sessionAffinity = "ClientIP"
        policy.update(web, ready: ["pod-1", "pod-2", "remote"])
        policy.update(sticky, ready: ["pod-1", "pod-2"])
        try policy.table.flush()
        let reader = try policy.lab.run(in: "node") { try TableReader(family) }
        #expect(await policy.table.agreesWithKernel(by: reader))
        // What the agent itself changes is counted, also where a slot stays and affinity goes.
        sticky.spec?.sessionAffinity = "None"
        policy.update(web, ready: ["pod-1"])
        policy.update(sticky, ready: ["pod-1", "pod-2", "remote"])
        try policy.table.flush()
        #expect(await policy.table.agreesWithKernel(by: reader))

        let cookie = try policy.lab.run(in: "node") { try NetworkNamespace.currentCookie() }
        let directory = "\(BPFFileSystem.directory)/connect-\(cookie)"
        let slots = try BPFMap<InlineArray<24, UInt8>, InlineArray<20, UInt8>>(pinnedAt: "\(directory)/maps/slots")
        let keys = try slots.keys()
        #expect(!keys.isEmpty)
        try slots.remove(keys[0])
        #expect(await !policy.table.agreesWithKernel(by: reader), "a slot lacks")
        try policy.table.audit()
        #expect(await policy.table.agreesWithKernel(by: reader))
        try slots.set(keys[0], to: InlineArray(repeating: 7))
        #expect(await !policy.table.agreesWithKernel(by: reader), "a slot leads elsewhere")
        try policy.table.audit()
        #expect(await policy.table.agreesWithKernel(by: reader))
        var stranger = keys[0]
        // The last byte of the address; those before tell the family.
        stranger[15] ^= 1
        try slots.set(stranger, to: InlineArray(repeating: 7))
        #expect(await !policy.table.agreesWithKernel(by: reader), "a slot is too many")
        try policy.table.audit()
        #expect(try slots.keys().count == keys.count)
        for name in try FileSystem.list(directory) where name != "maps" {
            try FileSystem.remove("\(directory)/\(name)")
        }
        #expect(await !policy.table.agreesWithKernel(by: reader), "the programs are detached")
        try policy.table.audit()
        #expect(await policy.table.agreesWithKernel(by: reader))
    }

    @Test("Nodes that share a kernel answer each for itself")
    func severalNodes() throws {
        let first = try PolicyLab(.ipv4, atConnect: true)
        let second = try PolicyLab(.ipv4, atConnect: true)
        for (policy, pod) in [(first, "pod-1"), (second, "pod-2")] {
            policy.update(policy.service("web", number: 1, nodePort: 30_080), ready: [pod])
            try policy.table.flush()
            #expect(policy.balancer?.state == .active)
        }
        for place in ["node", "pod-1", "pod-2"] {
            #expect(try first.lab.call(clusterIP(.ipv4, 1), 80, from: place).hasPrefix("pod-1"))
            #expect(try second.lab.call(clusterIP(.ipv4, 1), 80, from: place).hasPrefix("pod-2"))
        }
    }

    @Test("Without a cgroup nftables does all, and the reason is told; without the option nothing is left behind")
    func fallback() throws {
        let policy = try PolicyLab(.ipv4, atConnect: true)
        policy.update(policy.service("web", number: 1), ready: ["pod-2"])
        try policy.table.flush()
        let cgroup = try Cgroup(try #require(policy.lab.cgroup))
        #expect(try cgroup.programs(at: .connect4).count == 1)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try policy.lab.run(in: "node") {
            _ = ConnectTimeBalancer.following([policy.table], options: ProxyOptions(), logger: logger)
            // The kernel lets go of a link some moments after its pin.
            for _ in 0..<3000 where try !cgroup.programs(at: .connect4).isEmpty { usleep(10_000) }
            #expect(try cgroup.programs(at: .connect4).isEmpty)
            let options = ProxyOptions(connectTime: ConnectTimeOptions(cgroup: "/no-such-cgroup"))
            let balancer = ConnectTimeBalancer.following([policy.table], options: options, logger: logger)
            try policy.table.audit()
            guard case .unavailable(let reason) = balancer?.state else {
                Issue.record("\(balancer.map { "\($0.state)" } ?? "")")
                return
            }
            #expect(reason.contains("/no-such-cgroup"))
        }
        #expect(try policy.lab.call(clusterIP(.ipv4, 1), 80, from: "pod-1").hasPrefix("pod-2"))
        #expect(try tracked(policy, to: clusterIP(.ipv4, 1)) == 1)
    }
}
